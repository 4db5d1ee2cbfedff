-- By way of the groups: the key begins with them.
DELETE FROM group_resolved_by b
USING release r, issue_group g
WHERE r.id IN (SELECT value::bigint FROM json_array_elements_text(%(rows)s))
    AND g.organization_id = r.organization_id AND b.group_id = g.id AND b.release_id = r.id
