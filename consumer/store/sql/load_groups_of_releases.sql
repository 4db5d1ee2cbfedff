SELECT g.id
FROM json_to_recordset(%(releases)s) AS k (id bigint, organization_id bigint, version text)
JOIN issue_group g ON g.organization_id = k.organization_id
LEFT JOIN group_resolution s ON s.group_id = g.id AND s.version = k.version
WHERE g.first_release = k.version OR s.group_id IS NOT NULL OR EXISTS (
    SELECT FROM group_resolved_by b WHERE b.group_id = g.id AND b.release_id = k.id
)
