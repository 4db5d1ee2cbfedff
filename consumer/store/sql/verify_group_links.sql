-- Commits (1) and pull requests (2) are linked to the groups that their messages name (SEMANTICS 5.1), and to no other.
SELECT coalesce(l.group_id, m.group_id) AS group_id, coalesce(l.linked_type, m.linked_type) AS linked_type,
       coalesce(l.linked_id, m.linked_id) AS linked_id, l.id AS group_link_id
FROM (SELECT id, group_id, linked_type, linked_id FROM group_link WHERE linked_type IN (1, 2)) AS l
FULL JOIN (
    SELECT g.id AS group_id, r.linked_type, r.linked_id
    FROM message_reference r
    JOIN issue_group g ON g.organization_id = r.organization_id AND g.short_id = r.short_id
) AS m ON m.group_id = l.group_id AND m.linked_type = l.linked_type AND m.linked_id = l.linked_id
WHERE l.id IS NULL OR m.group_id IS NULL
ORDER BY 1, 2, 3
