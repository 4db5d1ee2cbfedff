-- Announcements of the topic that had this name before it was created anew become the last of the new one.
WITH adopted AS (
    DELETE FROM outbox
    WHERE offset_id IN (
        SELECT f.id
        FROM consumer_offset f JOIN consumer_offset o ON o.id = %(id)s
        WHERE f.consumer_group = o.consumer_group AND f.cluster_id = o.cluster_id AND f.topic = o.topic
            AND f.partition = o.partition AND f.id <> o.id
    )
    RETURNING offset_id, seq, activity_id, dead_letter_id
), renumbered AS (
    INSERT INTO outbox (offset_id, seq, activity_id, dead_letter_id, replayed)
    SELECT o.id, o.next_seq + row_number() OVER (ORDER BY a.offset_id, a.seq) - 1, a.activity_id, a.dead_letter_id, true
    FROM adopted a, consumer_offset o
    WHERE o.id = %(id)s
    RETURNING 1
)
UPDATE consumer_offset SET next_seq = next_seq + (SELECT count(*) FROM renumbered)
WHERE id = %(id)s
RETURNING next_seq
