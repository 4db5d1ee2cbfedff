-- Announces once more what the events of a range of offsets caused, in its first order. The stream's row is locked.
WITH queued AS (
    INSERT INTO outbox (offset_id, seq, activity_id, replayed)
    SELECT
        o.id,
        o.next_seq + row_number() OVER (ORDER BY a."offset", (a.cloudevent ->> 'sequence')::bigint) - 1,
        a.id,
        TRUE
    FROM activity a
    JOIN consumer_offset o ON o.id = a.offset_id
    WHERE o.id = %(stream)s AND a."offset" >= %(start)s AND a."offset" < %(end)s
    RETURNING seq
)
UPDATE consumer_offset o SET next_seq = o.next_seq + n.count, updated_at = now()
FROM (SELECT count(*) AS count FROM queued) n
WHERE o.id = %(stream)s AND n.count > 0
RETURNING n.count, o.next_seq - 1 AS last_seq
