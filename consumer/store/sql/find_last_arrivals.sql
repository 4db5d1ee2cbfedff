-- When the last of the events came that wait, key by key.
SELECT k.event_key, last.arrived_at
FROM unnest(%(keys)s::text[]) AS k (event_key)
CROSS JOIN LATERAL (
    SELECT p.arrived_at
    FROM parked_event p
    WHERE p.event_key = k.event_key
    ORDER BY p.arrived_at DESC, p.id DESC
    LIMIT 1
) AS last
