-- OFFSET 0: one look into the index a repository, whatever the planner thinks of joining them all.
SELECT c.id, k.repository_id, c.key, c.author_id, c.date_added, c.message, c.xmin
FROM json_to_recordset(%(keys)s) AS k (repository_id bigint, keys text[])
CROSS JOIN LATERAL (
    SELECT id, key, author_id, date_added, message, xmin::text::bigint AS xmin
    FROM commit
    WHERE repository_id = k.repository_id AND key = ANY(k.keys)
    OFFSET 0
) AS c
