-- One group with its inbox row and resolution; a row with issue_group.id NULL where only the organization is known.
SELECT
    organization.slug AS organization,
    issue_group.id,
    project.slug AS project,
    issue_group.short_id,
    issue_group.title,
    issue_group.status,
    group_inbox.reason AS inbox_reason,
    group_resolution.version AS resolution_version,
    group_resolution.type AS resolution_type,
    group_resolution.status AS resolution_status,
    group_resolution.actor_name,
    group_resolution.actor_email
FROM organization
LEFT JOIN issue_group ON issue_group.organization_id = organization.id AND issue_group.short_id = %(short_id)s
LEFT JOIN project ON project.id = issue_group.project_id
LEFT JOIN group_inbox ON group_inbox.group_id = issue_group.id
LEFT JOIN group_resolution ON group_resolution.group_id = issue_group.id
WHERE organization.slug = %(organization)s
