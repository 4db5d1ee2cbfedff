SELECT rp.release_id, rp.project_id, p.organization_id, p.slug
FROM release_project rp
JOIN project p ON p.id = rp.project_id
WHERE rp.release_id IN (SELECT value::bigint FROM json_array_elements_text(%(releases)s))
