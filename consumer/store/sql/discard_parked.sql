-- Waiting events become dead letters that nobody need see to. The rows of their streams are locked. One that waited for
-- the replay of a dead letter is that letter; one that a forced replay brought was counted when it first came.
WITH gone AS (
    DELETE FROM parked_event p
    USING json_to_recordset(%(rows)s) AS k (id bigint, event_type text)
    WHERE p.id = k.id
    RETURNING p.*, k.event_type
), buried AS (
    INSERT INTO dead_letter (
        id, offset_id, topic, partition, "offset", record_key, headers, value, timestamp, reason, errors, event_type,
        dead_at, arrived_at, status, settled_at
    )
    SELECT
        nextval('dead_letter_id_seq'), offset_id, topic, partition, "offset", record_key, headers, value, timestamp,
        'discarded', json_build_array(json_build_object('path', '$', 'message', 'discarded while waiting: ' || reason)),
        event_type, now(), arrived_at, %(discarded)s, now()
    FROM gone
    WHERE NOT replayed AND dead_letter_id IS NULL
), closed AS (
    UPDATE dead_letter d SET status = %(discarded)s, settled_at = now() FROM gone g WHERE d.id = g.dead_letter_id
), counted AS (
    UPDATE consumer_offset o SET parked = o.parked - n.count, dead = o.dead + n.count
    FROM (SELECT offset_id, count(*) AS count FROM gone WHERE NOT replayed GROUP BY offset_id) n
    WHERE o.id = n.offset_id
)
SELECT id, NOT replayed AND dead_letter_id IS NULL AS is_forgotten FROM gone
