SELECT l.id, l.group_id, l.linked_type, l.linked_id, l.relationship
FROM group_link l
WHERE l.group_id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s))
ORDER BY l.id
