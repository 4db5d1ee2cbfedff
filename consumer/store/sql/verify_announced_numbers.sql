SELECT stream, sequence, count(DISTINCT id) AS times, min(id) AS one_id, max(id) AS other_id
FROM announced
WHERE NOT replayed
GROUP BY stream, sequence
HAVING count(DISTINCT id) > 1
ORDER BY stream, sequence
