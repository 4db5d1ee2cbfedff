SELECT e.id, e.organization_id, e.name
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, name text)
JOIN environment e ON e.organization_id = k.organization_id AND e.name = k.name
