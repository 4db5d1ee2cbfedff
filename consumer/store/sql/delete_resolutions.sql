DELETE FROM group_resolution WHERE group_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
