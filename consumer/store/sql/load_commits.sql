SELECT c.id, c.repository_id, c.key, c.author_id, c.date_added, c.message, c.xmin::text::bigint AS xmin
FROM json_to_recordset(%(keys)s) AS k (repository_id bigint, key text)
JOIN commit c ON c.repository_id = k.repository_id AND c.key = k.key
