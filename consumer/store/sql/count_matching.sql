-- How many releases of a listing match the query: all of the listing, wherever its page is. No more are counted than tells
-- whether they are many. Those whose stem starts like the query, and those in the ranges of its own stem, which may have
-- others too: it is what there is to read. OFFSET 0, and the order to its last column, keep the planner to the index of
-- versions.
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
            LIMIT %(many)s + 1
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
                ORDER BY
                    membership.precedence DESC,
                    membership.release_id DESC,
                    membership.folded_version DESC,
                    membership.listed_at DESC
                OFFSET 0
            ) AS numbered
            LIMIT %(many)s + 1
        ) AS matching
    ) AS matching
