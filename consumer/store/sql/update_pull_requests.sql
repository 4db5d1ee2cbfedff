UPDATE pull_request p
SET title = k.title, message = k.message, author_id = k.author_id, merge_commit_sha = k.merge_commit_sha
FROM json_to_recordset(%(rows)s) AS k (
    id bigint, title text, message text, author_id bigint, merge_commit_sha text, xmin bigint
)
WHERE p.id = k.id AND p.xmin::text::bigint = k.xmin
