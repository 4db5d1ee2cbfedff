UPDATE commit c SET author_id = k.author_id, date_added = k.date_added, message = k.message
FROM json_to_recordset(%(rows)s) AS k (id bigint, author_id bigint, date_added timestamptz, message text, xmin bigint)
WHERE c.id = k.id AND c.xmin::text::bigint = k.xmin
