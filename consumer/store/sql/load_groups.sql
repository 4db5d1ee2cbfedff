SELECT g.id, g.organization_id, g.project_id, g.short_id, g.title, g.status, g.first_release, g.resolved_at,
       g.date_added, g.xmin::text::bigint AS xmin, p.slug AS project_slug, i.reason AS inbox,
       s.version, s.type AS resolution_type, s.status AS resolution_status, s.actor_name, s.actor_email,
       s.date_added AS resolution_date, r.id AS release_id, r.date_added AS release_date
FROM issue_group g
JOIN project p ON p.id = g.project_id
LEFT JOIN group_inbox i ON i.group_id = g.id
LEFT JOIN group_resolution s ON s.group_id = g.id
LEFT JOIN release r ON r.organization_id = g.organization_id AND r.version = s.version
WHERE g.id IN (SELECT value::bigint FROM json_array_elements_text(%(ids)s))
