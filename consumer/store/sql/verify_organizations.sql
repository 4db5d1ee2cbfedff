SELECT 'release_project' AS "table", p.release_id AS id, p.project_id AS other_id
FROM release_project p
JOIN release r ON r.id = p.release_id
JOIN project o ON o.id = p.project_id
WHERE o.organization_id <> r.organization_id
UNION ALL
SELECT 'issue_group', g.id, g.project_id
FROM issue_group g
JOIN project o ON o.id = g.project_id
WHERE o.organization_id <> g.organization_id
UNION ALL
SELECT 'release_head_commit', h.release_id, h.repository_id
FROM release_head_commit h
JOIN release r ON r.id = h.release_id
JOIN repository o ON o.id = h.repository_id
WHERE o.organization_id <> r.organization_id
UNION ALL
SELECT 'release_commit', rc.release_id, rc.commit_id
FROM release_commit rc
JOIN release r ON r.id = rc.release_id
JOIN commit c ON c.id = rc.commit_id
JOIN repository o ON o.id = c.repository_id
WHERE o.organization_id <> r.organization_id
UNION ALL
SELECT 'commit', c.id, c.author_id
FROM commit c
JOIN repository r ON r.id = c.repository_id
JOIN commit_author o ON o.id = c.author_id
WHERE o.organization_id <> r.organization_id
ORDER BY 1, 2, 3
