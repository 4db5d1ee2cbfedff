-- Messages stay behind: a commit that is only in an old log is never written.
SELECT rc.release_id, rc.timestamp, c.id, c.repository_id, c.key, c.author_id, c.date_added,
       r.organization_id, r.name AS repository_name
FROM release_commit rc
JOIN commit c ON c.id = rc.commit_id
JOIN repository r ON r.id = c.repository_id
WHERE rc.release_id IN (SELECT value::bigint FROM json_array_elements_text(%(releases)s))
ORDER BY rc.release_id, rc.position
