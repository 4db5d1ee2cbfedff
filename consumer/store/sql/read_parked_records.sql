SELECT id, offset_id, "offset" AS position, dead_letter_id, headers, value FROM parked_event WHERE id = ANY(%(ids)s)
