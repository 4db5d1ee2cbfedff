-- The last line of a group's history (0 unresolved, 1 resolved, 3 ignored) says its status and the release it is resolved
-- in. No line is written where an ignored group is unresolved again, nor where the release of a resolution is deleted.
SELECT g.id, g.short_id, g.status, s.version, h.id AS group_history_id, h.status AS last_status, h.version AS last_version
FROM issue_group g
JOIN organization o ON o.id = g.organization_id
LEFT JOIN group_resolution s ON s.group_id = g.id
LEFT JOIN (
    SELECT DISTINCT ON (group_id) id, group_id, status, version
    FROM group_history
    WHERE status IN (0, 1, 3)
    ORDER BY group_id, id DESC
) h ON h.group_id = g.id
WHERE CASE g.status
    WHEN 0 THEN h.status = 1
    WHEN 1 THEN h.status IS DISTINCT FROM 1 OR (
        s.version IS DISTINCT FROM h.version AND (
            s.version IS NOT NULL
            OR o.slug || ':' || h.version NOT IN (SELECT key FROM activity WHERE type = 'activity.release.deleted')
        )
    )
    ELSE h.status IS DISTINCT FROM 3
END
ORDER BY g.id
