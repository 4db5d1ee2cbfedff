-- OFFSET 0: one look into the index a type, whatever the planner thinks of joining them all.
SELECT k.linked_type, m.linked_id, m.short_id
FROM json_to_recordset(%(targets)s) AS k (linked_type smallint, linked_ids bigint[])
CROSS JOIN LATERAL (
    SELECT linked_id, short_id
    FROM message_reference
    WHERE linked_type = k.linked_type AND linked_id = ANY(k.linked_ids)
    OFFSET 0
) AS m
