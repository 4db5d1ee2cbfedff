-- The release of a project that was created first after another: one look-up in an index for each.
SELECT k.organization_id, k.project, k.version, n.id, n.version
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, project text, version text)
JOIN release r ON r.organization_id = k.organization_id AND r.version = k.version
JOIN project p ON p.organization_id = k.organization_id AND p.slug = k.project
CROSS JOIN LATERAL (
    SELECT rp.release_id
    FROM release_project rp
    WHERE rp.project_id = p.id AND rp.date_added > r.date_added
    ORDER BY rp.date_added, rp.release_id
    LIMIT 1
) AS next
JOIN release n ON n.id = next.release_id
