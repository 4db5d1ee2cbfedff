-- Every partition that a group ever read, with what waits in it.
SELECT
    o.id,
    o.stream,
    o.cluster_id,
    o.topic,
    o.partition,
    o.heir_id,
    o.next_seq,
    coalesce(p.events, 0) AS parked,
    coalesce(p.letters, 0) AS letters,
    coalesce(q.announcements, 0) AS queued
FROM consumer_offset o
LEFT JOIN (
    SELECT offset_id, count(*) AS events, count(dead_letter_id) AS letters FROM parked_event GROUP BY offset_id
) p ON p.offset_id = o.id
LEFT JOIN (SELECT offset_id, count(*) AS announcements FROM outbox GROUP BY offset_id) q ON q.offset_id = o.id
WHERE o.consumer_group = %(group)s
ORDER BY o.topic, o.partition, o.id
