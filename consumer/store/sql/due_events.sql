-- What waits in these streams, and in those of topics that had their names before they were created anew: the events
-- whose turn it is, the first of their keys, with what waits behind them.
WITH owned AS (
    SELECT o.id AS stream, f.id AS offset_id
    FROM consumer_offset o
    JOIN consumer_offset f ON f.consumer_group = o.consumer_group AND f.cluster_id = o.cluster_id
        AND f.topic = o.topic AND f.partition = o.partition
    WHERE o.id = ANY(%(streams)s)
), due AS (
    SELECT p.event_key
    FROM owned
    CROSS JOIN LATERAL (
        SELECT p.event_key, p.next_attempt_at
        FROM parked_event p
        WHERE p.offset_id = owned.offset_id AND p.next_attempt_at <= %(now)s
            AND NOT EXISTS (
                SELECT FROM parked_event b
                WHERE b.event_key = p.event_key AND (b.arrived_at, b.id) < (p.arrived_at, p.id)
            )
        ORDER BY p.next_attempt_at
        LIMIT %(limit)s
    ) AS p
    ORDER BY p.next_attempt_at
    LIMIT %(limit)s
)
SELECT p.id, owned.stream, p.offset_id, p.event_key, p.attempts, p.replayed, p.dead_letter_id, p.arrived_at,
       p.topic, p.partition, p.offset, p.record_key, p.headers, p.value, p.timestamp
FROM due
CROSS JOIN LATERAL (
    SELECT p.* FROM parked_event p WHERE p.event_key = due.event_key ORDER BY p.arrived_at, p.id LIMIT %(limit)s
) AS p
JOIN owned USING (offset_id)
-- Not past one that another worker must try before.
WHERE NOT EXISTS (
    SELECT FROM parked_event b
    WHERE b.event_key = p.event_key AND (b.arrived_at, b.id) < (p.arrived_at, p.id)
        AND b.offset_id NOT IN (SELECT offset_id FROM owned)
)
ORDER BY p.arrived_at, p.id
LIMIT %(limit)s
