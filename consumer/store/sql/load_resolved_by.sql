SELECT b.group_id, b.release_id, b.linked_type, b.linked_id
FROM group_resolved_by b
WHERE b.group_id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s))
