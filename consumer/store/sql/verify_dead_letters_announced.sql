-- Open ones only: what was discarded while it waited never was announced. Those that may still be to announce are left.
SELECT d.id, d.topic, d.partition, d."offset", count(n.id) AS times
FROM dead_letter d
JOIN progress p ON p.offset_id = d.offset_id
LEFT JOIN announced n ON n.dead_letter AND n.dead_letter_id = d.id
WHERE d.status = 0 AND d.dead_at >= %(since)s AND d.dead_at <= %(until)s AND NOT EXISTS (
    SELECT FROM outbox o
    LEFT JOIN progress q ON q.offset_id = o.offset_id
    WHERE o.dead_letter_id = d.id AND (q.seq IS NULL OR o.seq > q.seq)
)
GROUP BY d.id
HAVING count(n.id) = 0
ORDER BY d.id
