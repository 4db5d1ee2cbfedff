-- Statuses of groups: resolved is 1; of resolutions: pending is 0, which only those in another release (0) are not.
SELECT g.id, g.short_id, g.status, g.resolved_at, s.version, s.type, s.status AS resolution_status
FROM issue_group g
LEFT JOIN group_resolution s ON s.group_id = g.id
WHERE (g.status = 1) <> (g.resolved_at IS NOT NULL)
    OR (s.group_id IS NOT NULL AND (g.status <> 1 OR (s.type = 0) <> (s.status = 1)))
ORDER BY g.id
