-- How many releases of a listing match the query: all of the listing, wherever its page is. No more are counted than tells
-- few from many. Those whose stem starts like the query, and those in the ranges of its own stem, which may have others
-- too: it is what there is to read. OFFSET 0 keeps the planner to the index of versions.
SELECT
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM %(membership)s AS membership
            WHERE
                membership.project_id = %(project_id)s
                AND %(in_environment)s
                AND membership.status = %(status)s
                AND membership.stem >= %(query)s
                AND (%(above_query)s IS NULL OR membership.stem < %(above_query)s)
            ORDER BY membership.stem DESC
            LIMIT %(few)s + 1
        ) AS matching
    )
    + (
        SELECT count(*)
        FROM (
            SELECT
            FROM ROWS FROM (
                unnest(%(range_stems)s::text[]), unnest(%(lows)s::text[]), unnest(%(highs)s::text[])
            ) AS range (stem, low, high)
            CROSS JOIN LATERAL (
                SELECT
                FROM %(membership)s AS membership
                WHERE
                    membership.project_id = %(project_id)s
                    AND %(in_environment)s
                    AND membership.status = %(status)s
                    AND membership.stem = range.stem
                    AND membership.precedence >= range.low
                    AND membership.precedence < range.high
                ORDER BY membership.precedence DESC
                OFFSET 0
            ) AS numbered
            LIMIT %(few)s + 1
        ) AS matching
    )
