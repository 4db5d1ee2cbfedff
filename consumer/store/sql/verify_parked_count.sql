SELECT c.id, c.topic, c.partition, c.parked AS told, count(p.id) AS kept
FROM consumer_offset c
LEFT JOIN parked_event p ON p.offset_id = c.id AND NOT p.replayed
WHERE c.consumer_group = %(group)s
GROUP BY c.id
HAVING c.parked <> count(p.id)
ORDER BY c.id
