DELETE FROM release_head_commit h
USING json_to_recordset(%(rows)s) AS k (release_id bigint, repository_id bigint)
WHERE h.release_id = k.release_id AND h.repository_id = k.repository_id
