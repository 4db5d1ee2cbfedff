-- The group's row guards its inbox, resolution and links: it is written whenever one of them changes.
UPDATE issue_group g
SET project_id = k.project_id, title = k.title, status = k.status, first_release = k.first_release,
    resolved_at = k.resolved_at
FROM json_to_recordset(%(rows)s) AS k (
    id bigint, project_id bigint, title text, status smallint, first_release text, resolved_at timestamptz,
    xmin bigint
)
WHERE g.id = k.id AND g.xmin::text::bigint = k.xmin
