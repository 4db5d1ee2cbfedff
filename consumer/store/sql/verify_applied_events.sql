-- An event that was applied, or waits, is remembered once, by the record that it came by first; what retention has removed
-- is counted. What is told of partitions between which events moved, as topics were created anew, is told of all of them.
SELECT min(c.id) AS id, min(c.topic) AS topic, min(c.partition) AS partition, count(*) AS partitions,
       sum(c.applied + coalesce(p.events, 0)) AS told, sum(coalesce(e.events, 0) + coalesce(x.events, 0)) AS remembered
FROM consumer_offset c
LEFT JOIN (
    SELECT offset_id, count(*) AS events FROM parked_event WHERE NOT replayed AND dead_letter_id IS NULL GROUP BY offset_id
) p ON p.offset_id = c.id
LEFT JOIN (SELECT offset_id, count(*) AS events FROM processed_event GROUP BY offset_id) e ON e.offset_id = c.id
LEFT JOIN expired_event x ON x.offset_id = c.id
WHERE c.consumer_group = %(group)s
GROUP BY CASE WHEN c.adopted = 0 THEN c.id END
HAVING sum(c.applied + coalesce(p.events, 0)) <> sum(coalesce(e.events, 0) + coalesce(x.events, 0))
ORDER BY 1
