-- A page of the listing of a project, or of an environment of it: two ranges of the index of its order, what is equal
-- to the place where the page begins but older, and what is below. They are apart because PostgreSQL passes over an
-- entry that does not match the query half as fast where it has to compare pairs. It does so inside the index, which
-- has the versions too. What is below the floor is on no page. Without a query there is no condition on versions, or the
-- planner of PostgreSQL 18 expects a search of its own for every id. The table that says which releases these are is a
-- parameter: release_project, or release_environment with a condition.
SELECT page.id, page.%(key)s
FROM (
    (
        SELECT membership.release_id AS id, membership.%(key)s
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND (%(query)s = '' OR membership.folded_version >= %(query)s)
            AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
            AND membership.%(key)s = %(after_key)s
            AND membership.release_id < %(after_id)s
        ORDER BY membership.%(key)s DESC, membership.release_id DESC
        LIMIT %(limit)s
    )
    UNION ALL
    (
        SELECT membership.release_id AS id, membership.%(key)s
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND (%(query)s = '' OR membership.folded_version >= %(query)s)
            AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
            AND membership.%(key)s < %(after_key)s
            AND membership.%(key)s >= %(floor_key)s
        ORDER BY membership.%(key)s DESC, membership.release_id DESC
        LIMIT %(limit)s
    )
) AS page
ORDER BY page.%(key)s DESC, page.id DESC
LIMIT %(limit)s
