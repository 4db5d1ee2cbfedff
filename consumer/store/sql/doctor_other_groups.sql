-- What waits for other groups: keys are those of the database, whichever group an event waits for.
SELECT o.consumer_group, count(*) AS parked
FROM parked_event p
JOIN consumer_offset o ON o.id = p.offset_id
WHERE o.consumer_group <> %(group)s
GROUP BY o.consumer_group
ORDER BY o.consumer_group
