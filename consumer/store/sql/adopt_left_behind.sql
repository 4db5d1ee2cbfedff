-- The owner of another partition, the heir, sees from now on to what is left in one that nobody reads. Both rows are
-- locked. What was not announced goes out as the heir's; who still works on either notices the new epoch.
WITH orphan AS (
    UPDATE consumer_offset SET heir_id = %(heir)s, epoch = epoch + 1, updated_at = now() WHERE id = %(id)s
), taken AS (
    DELETE FROM outbox WHERE offset_id = %(id)s RETURNING seq, activity_id, dead_letter_id
), queued AS (
    INSERT INTO outbox (offset_id, seq, activity_id, dead_letter_id, replayed)
    SELECT
        h.id, h.next_seq + row_number() OVER (ORDER BY t.seq) - 1, t.activity_id, t.dead_letter_id, true
    FROM taken t
    JOIN consumer_offset h ON h.id = %(heir)s
    WHERE t.seq > %(announced)s
    RETURNING 1
)
UPDATE consumer_offset h SET next_seq = h.next_seq + n.count, epoch = h.epoch + least(n.count, 1), updated_at = now()
FROM (SELECT count(*) AS count FROM queued) n
WHERE h.id = %(heir)s
RETURNING n.count AS announcements
