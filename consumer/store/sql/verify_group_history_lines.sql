-- Whatever was announced of a group has its line in its history: 1 resolved, 0 unresolved, 10 reviewed.
SELECT told.group_id, told.status, told.version, told.times AS announced, coalesce(kept.times, 0) AS lines
FROM (
    SELECT group_id, status, version, count(*) AS times
    FROM (
        SELECT group_id, coalesce(cloudevent #>> '{data,version}', '') AS version,
               CASE type
                   WHEN 'activity.group.resolved' THEN 1
                   WHEN 'activity.group.unresolved' THEN 0
                   WHEN 'activity.group.reviewed' THEN 10
               END AS status
        FROM activity
        WHERE group_id IS NOT NULL
    ) AS a
    WHERE status IS NOT NULL
    GROUP BY group_id, status, version
) AS told
LEFT JOIN (
    SELECT group_id, status, coalesce(version, '') AS version, count(*) AS times
    FROM group_history
    GROUP BY group_id, status, coalesce(version, '')
) AS kept USING (group_id, status, version)
WHERE coalesce(kept.times, 0) < told.times
ORDER BY 1, 2, 3
