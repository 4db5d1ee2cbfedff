UPDATE commit_author a SET name = k.name
FROM json_to_recordset(%(rows)s) AS k (id bigint, name text, xmin bigint)
WHERE a.id = k.id AND a.xmin::text::bigint = k.xmin
