UPDATE parked_event SET attempts = attempts + 1, reason = %(reason)s, next_attempt_at = %(next_attempt_at)s
WHERE id = %(id)s
