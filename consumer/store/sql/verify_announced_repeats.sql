SELECT id, count(*) AS times, min(partition) AS partition, min("offset") AS first_offset, max("offset") AS last_offset
FROM announced
WHERE NOT replayed
GROUP BY dead_letter, id
HAVING count(*) > 1
ORDER BY id
