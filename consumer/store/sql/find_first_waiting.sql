-- The first offset that waits of each key, partition by partition.
SELECT event_key, offset_id, min("offset") FROM parked_event WHERE event_key = ANY(%(keys)s) GROUP BY event_key, offset_id
