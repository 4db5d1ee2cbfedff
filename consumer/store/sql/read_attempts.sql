SELECT id, attempts FROM parked_event WHERE id = ANY(%(ids)s)
