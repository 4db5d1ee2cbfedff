SELECT min(first.next_attempt_at)
FROM (
    SELECT DISTINCT ON (event_key) event_key, next_attempt_at
    FROM parked_event
    WHERE offset_id = ANY(%(streams)s)
    ORDER BY event_key, arrived_at, id
) AS first
