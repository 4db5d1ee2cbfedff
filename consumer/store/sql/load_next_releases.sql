SELECT k.organization_id, k.project, k.version, n.id, n.version
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, project text, version text)
JOIN release r ON r.organization_id = k.organization_id AND r.version = k.version
JOIN project p ON p.organization_id = k.organization_id AND p.slug = k.project
CROSS JOIN LATERAL (
    SELECT n.id, n.version
    FROM release_project rp
    JOIN release n ON n.id = rp.release_id
    WHERE rp.project_id = p.id AND n.date_added > r.date_added
    ORDER BY n.date_added, n.id
    LIMIT 1
) AS n
