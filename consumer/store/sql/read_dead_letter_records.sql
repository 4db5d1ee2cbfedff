SELECT id, offset_id, headers, value FROM dead_letter WHERE id = ANY(%(ids)s) AND status = %(dead)s
