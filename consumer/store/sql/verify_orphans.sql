-- What waits where nobody reads: parked events, and announcements that the topics do not tell.
SELECT c.id, c.topic, c.partition, coalesce(p.events, 0) AS parked_events, coalesce(q.events, 0) AS announcements
FROM consumer_offset c
LEFT JOIN (SELECT offset_id, count(*) AS events FROM parked_event GROUP BY offset_id) p ON p.offset_id = c.id
LEFT JOIN (
    SELECT o.offset_id, count(*) AS events
    FROM outbox o
    LEFT JOIN activity a ON a.id = o.activity_id
    LEFT JOIN dead_letter d ON d.id = o.dead_letter_id
    WHERE o.offset_id = ANY(%(orphans)s) AND coalesce(a.date_added, d.dead_at) >= %(since)s
        AND NOT EXISTS (SELECT FROM announced n WHERE NOT n.dead_letter AND n.id = a.event_id::text)
        AND NOT EXISTS (SELECT FROM announced n WHERE n.dead_letter AND n.dead_letter_id = d.id)
    GROUP BY o.offset_id
) q ON q.offset_id = c.id
WHERE c.id = ANY(%(orphans)s) AND coalesce(p.events, q.events) > 0
ORDER BY c.id
