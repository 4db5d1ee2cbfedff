SELECT a.id AS activity_id, a.event_id, p.stream, (a.cloudevent ->> 'sequence')::bigint AS sequence
FROM activity a
JOIN progress p ON p.stream = (a.cloudevent ->> 'stream')::uuid
LEFT JOIN announced n ON n.id = a.event_id::text AND NOT n.dead_letter
WHERE n.id IS NULL AND (a.cloudevent ->> 'sequence')::bigint <= p.seq AND a.date_added >= %(since)s
ORDER BY a.id
