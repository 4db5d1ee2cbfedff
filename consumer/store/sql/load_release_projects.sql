SELECT rp.release_id, rp.project_id
FROM release_project rp
WHERE rp.release_id IN (SELECT value::bigint FROM json_array_elements_text(%(releases)s))
