SELECT (SELECT count(*) FROM parked_event), (SELECT min(parked_at) FROM parked_event),
       (SELECT count(*) FROM dead_letter WHERE status = 0)
