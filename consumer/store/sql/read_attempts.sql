-- Those that still wait as told, with nothing before them of the same key that does not.
WITH told AS (
    SELECT p.id, p.event_key, p.arrived_at
    FROM parked_event p
    JOIN json_to_recordset(%(events)s) AS t (id bigint, attempts integer) ON p.id = t.id AND p.attempts = t.attempts
)
SELECT told.id
FROM told
WHERE NOT EXISTS (
    SELECT FROM parked_event b
    WHERE b.event_key = told.event_key AND (b.arrived_at, b.id) < (told.arrived_at, told.id)
        AND b.id NOT IN (SELECT id FROM told)
)
