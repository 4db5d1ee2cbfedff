-- All releases whose log holds these commits. In order, and before anything is written: who waits here is in nobody's
-- way, unless both modify commits of a release that the other has at hand; PostgreSQL ends that, and one batch is redone.
SELECT r.id FROM release r
WHERE r.id IN (
    SELECT rc.release_id FROM release_commit rc
    WHERE rc.commit_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
)
ORDER BY r.id
FOR UPDATE
