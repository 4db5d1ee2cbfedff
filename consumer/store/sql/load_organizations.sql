SELECT id, slug, name, default_role, flags, options, xmin::text::bigint AS xmin
FROM organization
WHERE slug IN (SELECT json_array_elements_text(%(slugs)s))
