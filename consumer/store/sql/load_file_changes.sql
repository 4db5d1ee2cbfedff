SELECT f.commit_id, f.filename
FROM commit_file_change f
WHERE f.commit_id IN (SELECT value::bigint FROM json_array_elements_text(%(commits)s))
