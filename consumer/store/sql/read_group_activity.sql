-- What happened to a group, oldest first.
SELECT activity.type, activity.cloudevent -> 'data' AS data, activity.date_added
FROM activity
WHERE activity.group_id = %(group_id)s
ORDER BY activity.date_added, activity.id
