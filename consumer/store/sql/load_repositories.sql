SELECT r.id, r.organization_id, r.name
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, name text)
JOIN repository r ON r.organization_id = k.organization_id AND r.name = k.name
