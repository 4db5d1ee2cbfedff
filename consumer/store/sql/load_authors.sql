-- OFFSET 0: one look into the index an organization, whatever the planner thinks of joining them all.
SELECT a.id, k.organization_id, a.email, a.name, a.xmin
FROM json_to_recordset(%(keys)s) AS k (organization_id bigint, emails text[])
CROSS JOIN LATERAL (
    SELECT id, email, name, xmin::text::bigint AS xmin
    FROM commit_author
    WHERE organization_id = k.organization_id AND email = ANY(k.emails)
    OFFSET 0
) AS a
