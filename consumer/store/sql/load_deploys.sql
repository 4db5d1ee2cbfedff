SELECT d.id, d.release_id, d.environment_id, d.name, d.url, d.date_started, d.date_finished, d.project_ids
FROM deploy d
WHERE d.release_id IN (SELECT value::bigint FROM json_array_elements_text(%(releases)s))
    AND d.environment_id IN (SELECT value::bigint FROM json_array_elements_text(%(environments)s))
ORDER BY d.id
