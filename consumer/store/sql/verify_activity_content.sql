SELECT id, event_id, type
FROM activity
WHERE (cloudevent ->> 'id') IS DISTINCT FROM event_id::text OR (cloudevent ->> 'type') IS DISTINCT FROM type
ORDER BY id
