SELECT p.id, p.offset_id, p.event_key, p.attempts, p.topic, p.partition, p.offset, p.record_key, p.headers, p.value,
       p.timestamp
FROM parked_event p
WHERE p.offset_id = ANY(%(streams)s) AND p.event_key IN (
    SELECT first.event_key
    FROM (
        SELECT DISTINCT ON (event_key) event_key, next_attempt_at
        FROM parked_event
        WHERE offset_id = ANY(%(streams)s)
        ORDER BY event_key, id
    ) AS first
    WHERE first.next_attempt_at <= %(now)s
)
ORDER BY p.id
LIMIT %(limit)s
