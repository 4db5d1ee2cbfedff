-- Counted are letters that are dead (0) or discarded (3); those that are tried again are parked, the others applied.
SELECT c.id, c.topic, c.partition, c.dead AS told, c.pruned, count(d.id) AS kept
FROM consumer_offset c
LEFT JOIN dead_letter d ON d.offset_id = c.id AND d.status IN (0, 3)
WHERE c.consumer_group = %(group)s
GROUP BY c.id
HAVING c.dead <> count(d.id) + c.pruned
ORDER BY c.id
