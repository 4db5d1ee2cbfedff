-- How many releases of a listing match the query: all of the listing, wherever its page is. At most one more than few.
SELECT count(*)
FROM (
    SELECT
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND membership.folded_version >= %(query)s
        AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
    ORDER BY membership.folded_version DESC
    LIMIT %(few)s + 1
) AS matching
