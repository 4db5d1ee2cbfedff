-- One that is tried again (1) is not settled yet. One that an operator has discarded meanwhile is not there any more.
UPDATE dead_letter d SET status = r.status, settled_at = CASE WHEN r.status <> 1 THEN %(now)s::timestamptz END
FROM json_to_recordset(%(rows)s) AS r (id bigint, status smallint)
WHERE d.id = r.id AND d.status IN (0, 1)
