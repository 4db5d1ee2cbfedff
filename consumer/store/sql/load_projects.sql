SELECT p.id, p.organization_id, p.slug, p.name, p.platform, p.xmin::text::bigint AS xmin
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, slug text)
JOIN project p ON p.organization_id = k.organization_id AND p.slug = k.slug
