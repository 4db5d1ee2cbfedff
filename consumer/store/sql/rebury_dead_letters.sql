UPDATE dead_letter d
SET status = 0, settled_at = NULL, reason = r.reason, errors = r.errors, event_type = r.event_type
FROM json_to_recordset(%(rows)s) AS r (id bigint, reason text, errors json, event_type text)
WHERE d.id = r.id
