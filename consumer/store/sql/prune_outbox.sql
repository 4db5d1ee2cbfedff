DELETE FROM outbox o
USING json_to_recordset(%(rows)s) AS k (stream integer, seq bigint)
WHERE o.offset_id = k.stream AND o.seq <= k.seq
