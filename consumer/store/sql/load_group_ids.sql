SELECT l.group_id
FROM json_to_recordset(%(targets)s) AS k (linked_type smallint, linked_id bigint)
JOIN group_link l ON l.linked_type = k.linked_type AND l.linked_id = k.linked_id
UNION
SELECT g.id
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, short_id text)
JOIN issue_group g ON g.organization_id = k.organization_id AND g.short_id = k.short_id
