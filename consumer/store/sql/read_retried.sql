-- What became of events that were to be tried at once: those no longer waiting (by what they became, if it is a dead
-- letter), and those that wait on, because the first of their key was tried in vain.
SELECT
    k.id,
    p.id IS NOT NULL AS is_waiting,
    d.status,
    p.id IS NOT NULL AND (
        SELECT f.next_attempt_at <= now()
        FROM parked_event f
        WHERE f.event_key = p.event_key
        ORDER BY f.arrived_at, f.id
        LIMIT 1
    ) AS is_due
FROM unnest(%(ids)s::bigint[], %(streams)s::integer[], %(offsets)s::bigint[]) AS k (id, stream, position)
LEFT JOIN parked_event p ON p.id = k.id
LEFT JOIN dead_letter d ON d.offset_id = k.stream AND d."offset" = k.position
