DELETE FROM release_environment WHERE release_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
