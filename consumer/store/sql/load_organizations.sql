SELECT id, slug FROM organization WHERE slug IN (SELECT json_array_elements_text(%(slugs)s))
