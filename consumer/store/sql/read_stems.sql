-- The stems that start like the query, each by one look-up in the index; at most one more than a page is merged from.
WITH RECURSIVE known AS (
    (
        SELECT membership.stem
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND membership.stem >= %(query)s
            AND (%(above_query)s IS NULL OR membership.stem < %(above_query)s)
        ORDER BY membership.stem
        LIMIT 1
    )
    UNION ALL
    SELECT following.stem
    FROM known
    CROSS JOIN LATERAL (
        SELECT membership.stem
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND membership.stem > known.stem
            AND (%(above_query)s IS NULL OR membership.stem < %(above_query)s)
        ORDER BY membership.stem
        LIMIT 1
    ) AS following
)
SELECT known.stem FROM known LIMIT %(stems)s + 1
