SELECT event_id, count(*) AS times, min(id) AS first_id, max(id) AS last_id
FROM activity
GROUP BY event_id
HAVING count(*) > 1
ORDER BY event_id
