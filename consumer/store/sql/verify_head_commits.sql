-- A repository of the log without a head, or a head that is no commit of its repository.
SELECT needed.release_id, needed.repository_id, NULL::bigint AS commit_id
FROM (
    SELECT DISTINCT rc.release_id, c.repository_id
    FROM release_commit rc
    JOIN commit c ON c.id = rc.commit_id
) AS needed
LEFT JOIN release_head_commit h ON h.release_id = needed.release_id AND h.repository_id = needed.repository_id
WHERE h.release_id IS NULL
UNION ALL
SELECT h.release_id, h.repository_id, h.commit_id
FROM release_head_commit h
JOIN commit c ON c.id = h.commit_id
WHERE c.repository_id <> h.repository_id
ORDER BY 1, 2
