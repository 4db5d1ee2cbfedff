SELECT a.id, a.organization_id, a.email, a.name, a.xmin::text::bigint AS xmin
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, email text)
JOIN commit_author a ON a.organization_id = k.organization_id AND a.email = k.email
