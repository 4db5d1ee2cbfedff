SELECT m.linked_type, m.linked_id, m.short_id
FROM json_to_recordset(%(targets)s) AS k (linked_type smallint, linked_id bigint)
JOIN message_reference m ON m.linked_type = k.linked_type AND m.linked_id = k.linked_id
