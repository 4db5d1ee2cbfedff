UPDATE external_issue e SET url = k.url
FROM json_to_recordset(%(rows)s) AS k (id bigint, url text, xmin bigint)
WHERE e.id = k.id AND e.xmin::text::bigint = k.xmin
