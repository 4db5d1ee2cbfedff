-- A page of the listing of a project, or of an environment of it: one range of an index. The table that says which
-- releases these are is a parameter: release_project, or release_environment with a condition.
WITH listed AS NOT MATERIALIZED (
    SELECT membership.release_id AS id, membership.listed_at
    FROM %(membership)s AS membership
    WHERE membership.project_id = %(project_id)s AND membership.status = %(status)s AND %(in_environment)s
)
SELECT listed.id, listed.listed_at
FROM listed
WHERE (listed.listed_at, listed.id) < %(after)s
ORDER BY listed.listed_at DESC, listed.id DESC
LIMIT %(limit)s
