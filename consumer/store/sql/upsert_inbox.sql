-- An existing row keeps its first reason (SEMANTICS section 1).
INSERT INTO group_inbox AS i (group_id, reason, date_added)
SELECT k.group_id, k.reason, k.now
FROM json_to_recordset(%(rows)s) AS k (group_id bigint, reason smallint, now timestamptz)
ON CONFLICT (group_id) DO UPDATE SET reason = excluded.reason, date_added = i.date_added
