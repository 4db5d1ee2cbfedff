UPDATE parked_event SET next_attempt_at = least(next_attempt_at, now())
WHERE id = ANY(%(ids)s)
RETURNING id, offset_id, "offset" AS position
