-- OFFSET 0: one look into the index a type and an organization, whatever the planner thinks of joining them all.
SELECT l.group_id
FROM json_to_recordset(%(targets)s) AS k (linked_type smallint, linked_ids bigint[])
CROSS JOIN LATERAL (
    SELECT group_id
    FROM group_link
    WHERE linked_type = k.linked_type AND linked_id = ANY(k.linked_ids)
    OFFSET 0
) AS l
UNION
SELECT g.id
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, short_ids text[])
CROSS JOIN LATERAL (
    SELECT id
    FROM issue_group
    WHERE organization_id = k.organization_id AND short_id = ANY(k.short_ids)
    OFFSET 0
) AS g
