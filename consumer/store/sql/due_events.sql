-- What waits in these streams, in those of topics that had their names before they were created anew, and in those
-- that they are the heirs of: the events whose turn it is, the first of their keys, with what waits behind them.
WITH owned AS (
    SELECT DISTINCT ON (f.id) o.id AS stream, f.id AS offset_id
    FROM consumer_offset o
    JOIN consumer_offset n ON n.consumer_group = o.consumer_group AND n.cluster_id = o.cluster_id
        AND n.topic = o.topic AND n.partition = o.partition
    JOIN consumer_offset f ON f.id = n.id OR f.heir_id = n.id
    WHERE o.id = ANY(%(streams)s)
    ORDER BY f.id, o.id
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
SELECT turn.id, turn.stream, turn.offset_id, turn.event_key, turn.attempts, turn.replayed, turn.dead_letter_id,
       turn.arrived_at, turn.topic, turn.partition, turn.offset, turn.record_key, turn.headers, turn.value, turn.timestamp
FROM (
    -- Sizes are known without reading the values.
    SELECT p.*, owned.stream,
           sum(coalesce(octet_length(p.value), 0)) OVER (ORDER BY p.arrived_at, p.id)
               - coalesce(octet_length(p.value), 0) AS bytes_before
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
) AS turn
WHERE turn.bytes_before < %(bytes)s
ORDER BY turn.arrived_at, turn.id
