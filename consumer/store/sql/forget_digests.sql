UPDATE release r SET log_digest = NULL
WHERE r.log_digest IS NOT NULL AND r.id IN (
    SELECT rc.release_id FROM release_commit rc
    WHERE rc.commit_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
)
