-- Open dead letters wait for an attempt, among the events of their keys by their arrival. The rows of their streams are
-- locked. One whose record waits already, brought by a forced replay, is left alone.
WITH tried AS (
    SELECT d.*, k.event_key
    FROM dead_letter d
    JOIN json_to_recordset(%(rows)s) AS k (id bigint, event_key text) ON k.id = d.id
    WHERE d.status = %(dead)s
    ORDER BY d.arrived_at, d.id
    FOR UPDATE OF d
), waiting AS (
    INSERT INTO parked_event (
        offset_id, topic, partition, "offset", record_key, headers, value, timestamp, event_key, reason, attempts,
        next_attempt_at, parked_at, arrived_at, dead_letter_id
    )
    SELECT
        offset_id, topic, partition, "offset", record_key, headers, value, timestamp, event_key,
        'dead letter ' || id || ' is tried again: ' || reason, 0, now(), now(), arrived_at, id
    FROM tried
    ON CONFLICT (offset_id, "offset") DO NOTHING
    RETURNING dead_letter_id, offset_id
), marked AS (
    UPDATE dead_letter d SET status = %(replaying)s FROM waiting w WHERE d.id = w.dead_letter_id
), counted AS (
    UPDATE consumer_offset o SET dead = o.dead - n.count, parked = o.parked + n.count
    FROM (SELECT offset_id, count(*) AS count FROM waiting GROUP BY offset_id) n
    WHERE o.id = n.offset_id
)
SELECT dead_letter_id AS id FROM waiting
