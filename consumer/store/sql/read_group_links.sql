-- What a group is linked to: commits, pull requests, external issues; of each kind by the id that people know.
SELECT
    group_link.linked_type,
    coalesce(commit.key, pull_request.key, external_issue.key) AS key,
    group_link.relationship
FROM group_link
LEFT JOIN commit ON group_link.linked_type = %(commit)s AND commit.id = group_link.linked_id
LEFT JOIN pull_request ON group_link.linked_type = %(pull_request)s AND pull_request.id = group_link.linked_id
LEFT JOIN external_issue ON group_link.linked_type = %(issue)s AND external_issue.id = group_link.linked_id
WHERE group_link.group_id = %(group_id)s
ORDER BY
    group_link.linked_type,
    coalesce(commit.key, pull_request.key, external_issue.key) COLLATE "C",
    group_link.id
