SELECT n.partition, n."offset", n.id, n.dead_letter_id
FROM announced n
JOIN progress p ON p.stream = n.stream
LEFT JOIN dead_letter d ON d.id = n.dead_letter_id
WHERE n.dead_letter AND d.id IS NULL AND (n.document ->> 'time')::timestamptz >= %(kept_since)s
ORDER BY n.partition, n."offset"
