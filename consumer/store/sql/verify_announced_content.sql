-- One that is announced again has one attribute more.
SELECT a.id AS activity_id, n.partition, n."offset", n.id
FROM announced n
JOIN activity a ON a.event_id::text = n.id
WHERE NOT n.dead_letter AND CASE
    WHEN n.replayed THEN n.document - 'replayed' <> a.cloudevent::jsonb
    ELSE n.digest <> sha256(convert_to(a.cloudevent::text, 'UTF8'))
END
ORDER BY n.partition, n."offset"
