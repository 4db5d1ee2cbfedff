-- The first offset that waits of each key, partition by partition.
SELECT event_key, offset_id, min("offset")
FROM parked_event
WHERE event_key = ANY(ARRAY(SELECT json_array_elements_text(%(keys)s)))
GROUP BY event_key, offset_id
