-- What waits in these streams, and in those of topics that had their names before they were created anew.
WITH owned AS (
    SELECT o.id AS stream, f.id AS offset_id
    FROM consumer_offset o
    JOIN consumer_offset f ON f.consumer_group = o.consumer_group AND f.cluster_id = o.cluster_id
        AND f.topic = o.topic AND f.partition = o.partition
    WHERE o.id = ANY(%(streams)s)
), first AS (
    SELECT DISTINCT ON (event_key) event_key, next_attempt_at
    FROM parked_event
    WHERE event_key IN (SELECT event_key FROM parked_event JOIN owned USING (offset_id))
    ORDER BY event_key, arrived_at, id
)
SELECT p.id, owned.stream, p.offset_id, p.event_key, p.attempts, p.replayed, p.dead_letter_id, p.arrived_at,
       p.topic, p.partition, p.offset, p.record_key, p.headers, p.value, p.timestamp
FROM parked_event p
JOIN owned USING (offset_id)
JOIN first USING (event_key)
WHERE first.next_attempt_at <= %(now)s
    -- Not past one that another worker must try before.
    AND NOT EXISTS (
        SELECT FROM parked_event b
        WHERE b.event_key = p.event_key AND (b.arrived_at, b.id) < (p.arrived_at, p.id)
            AND b.offset_id NOT IN (SELECT offset_id FROM owned)
    )
ORDER BY p.arrived_at, p.id
LIMIT %(limit)s
