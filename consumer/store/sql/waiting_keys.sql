SELECT DISTINCT event_key FROM parked_event WHERE event_key = ANY(%(keys)s)
