SELECT 'release_project' AS "table", p.release_id, p.project_id, NULL::bigint AS environment_id
FROM release_project p
JOIN release r ON r.id = p.release_id
WHERE p.status <> r.status OR p.listed_at <> coalesce(r.date_released, r.date_added) OR p.date_added <> r.date_added
UNION ALL
SELECT 'release_environment', e.release_id, e.project_id, e.environment_id
FROM release_environment e
JOIN release r ON r.id = e.release_id
LEFT JOIN release_project p ON p.release_id = e.release_id AND p.project_id = e.project_id
WHERE e.status <> r.status OR e.listed_at <> coalesce(r.date_released, r.date_added) OR p.release_id IS NULL
    OR e.first_seen > e.last_seen
ORDER BY 1, 2, 3, 4
