-- Waiting events in the order they were parked, each with the event of its key that it waits behind.
SELECT
    p.id,
    p.topic,
    p.partition,
    p."offset",
    p.record_key,
    p.headers,
    p.value,
    p.event_key,
    p.reason,
    p.attempts,
    p.next_attempt_at,
    p.parked_at,
    p.arrived_at,
    p.dead_letter_id,
    (
        SELECT b.id
        FROM parked_event b
        WHERE b.event_key = p.event_key AND (b.arrived_at, b.id) < (p.arrived_at, p.id)
        ORDER BY b.arrived_at DESC, b.id DESC
        LIMIT 1
    ) AS behind
FROM parked_event p
WHERE p.id > %(after)s AND (%(key)s IS NULL OR p.event_key = %(key)s)
ORDER BY p.id
LIMIT %(limit)s
