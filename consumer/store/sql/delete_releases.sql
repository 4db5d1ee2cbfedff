DELETE FROM release WHERE id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
