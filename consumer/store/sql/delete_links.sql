DELETE FROM group_link WHERE id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
