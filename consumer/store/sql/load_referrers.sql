SELECT m.organization_id, m.short_id, m.linked_type, m.linked_id
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, short_id text)
JOIN message_reference m ON m.organization_id = k.organization_id AND m.short_id = k.short_id
ORDER BY m.linked_type, m.linked_id
