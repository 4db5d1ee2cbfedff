-- Releases whose log holds these commits, which were modified: their digest can no longer tell that nothing changed, and
-- the authors of the log may be others. Those that the batch has at hand are written once more (update_releases).
UPDATE release r
SET log_digest = NULL,
    authors = ARRAY(
        SELECT c.author_id
        FROM release_commit rc
        JOIN commit c ON c.id = rc.commit_id
        WHERE rc.release_id = r.id AND c.author_id IS NOT NULL
        GROUP BY c.author_id
        ORDER BY min(rc.position)
    )
WHERE r.id IN (
    SELECT rc.release_id FROM release_commit rc
    WHERE rc.commit_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
)
