-- Short ids of the groups that are resolved in a version.
SELECT issue_group.short_id
FROM issue_group
JOIN group_resolution ON group_resolution.group_id = issue_group.id
WHERE
    issue_group.organization_id = %(organization_id)s
    AND issue_group.status = %(group_status)s
    AND group_resolution.version = %(version)s
    AND group_resolution.type = %(resolution_type)s
    AND group_resolution.status = %(resolution_status)s
ORDER BY issue_group.short_id COLLATE "C"
