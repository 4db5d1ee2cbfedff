SELECT DISTINCT event_key
FROM parked_event
WHERE event_key = ANY(ARRAY(SELECT json_array_elements_text(%(keys)s)))
