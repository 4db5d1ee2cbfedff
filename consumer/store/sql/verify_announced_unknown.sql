SELECT n.partition, n."offset", n.id, n.stream, n.sequence
FROM announced n
LEFT JOIN activity a ON a.event_id::text = n.id
WHERE NOT n.dead_letter AND a.id IS NULL
ORDER BY n.partition, n."offset"
