SELECT s.group_id
FROM group_resolution s
JOIN issue_group g ON g.id = s.group_id
WHERE s.status = 0 AND g.project_id IN (SELECT value::bigint FROM json_array_elements_text(%(projects)s))
