UPDATE parked_event p SET attempts = r.attempts, reason = r.reason, next_attempt_at = r.next_attempt_at
FROM json_to_recordset(%(rows)s) AS r (id bigint, attempts integer, reason text, next_attempt_at timestamptz)
WHERE p.id = r.id
