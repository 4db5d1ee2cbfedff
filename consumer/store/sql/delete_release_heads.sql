DELETE FROM release_head_commit WHERE release_id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
