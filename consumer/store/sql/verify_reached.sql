-- What was taken over from a former topic has offsets of that topic.
SELECT found.kind AS "table", found.id, c.topic, c.partition, found."offset", c.first_offset, c.frontier
FROM (
    SELECT 'activity' AS kind, id, offset_id, "offset" FROM activity
    UNION ALL
    SELECT 'parked_event', id, offset_id, "offset" FROM parked_event
    UNION ALL
    SELECT 'dead_letter', id, offset_id, "offset" FROM dead_letter
) AS found
JOIN consumer_offset c ON c.id = found.offset_id
WHERE c.consumer_group = %(group)s AND c.adopted = 0 AND (found."offset" < c.first_offset OR found."offset" >= c.frontier)
ORDER BY 1, 2
