DELETE FROM message_reference m
USING json_to_recordset(%(rows)s) AS k (linked_type smallint, linked_id bigint, short_id text)
WHERE m.linked_type = k.linked_type AND m.linked_id = k.linked_id AND m.short_id = k.short_id
