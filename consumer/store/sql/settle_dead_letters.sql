UPDATE dead_letter d SET status = r.status, settled_at = %(now)s
FROM json_to_recordset(%(rows)s) AS r (id bigint, status smallint)
WHERE d.id = r.id
