UPDATE project p SET name = k.name, platform = k.platform
FROM json_to_recordset(%(rows)s) AS k (id bigint, name text, platform text, xmin bigint)
WHERE p.id = k.id AND p.xmin::text::bigint = k.xmin
