-- As read_ids, in the order of versions, where what matches has few stems: merged from a page of each, and of each range
-- of precedence that the numbers of the query leave. Ranges end where the page begins, if they do not end before. What
-- is equal to that place but older is a range of its own: see read_ids for why. The order is that of the index of
-- stems to its last column, or the planner might take the index of precedence, and look for the stem in the table.
SELECT page.id, page.precedence
FROM ROWS FROM (
    unnest(%(range_stems)s::text[]), unnest(%(lows)s::text[]), unnest(%(highs)s::text[]), unnest(%(high_ids)s::bigint[])
) AS range (stem, low, high, high_id)
CROSS JOIN LATERAL (
    SELECT membership.release_id AS id, membership.precedence
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND membership.stem = range.stem
        AND membership.precedence >= range.low
        AND membership.precedence < range.high
        AND membership.release_id < range.high_id
        AND membership.folded_version >= %(query)s
        AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
    ORDER BY
        membership.precedence DESC,
        membership.release_id DESC,
        membership.folded_version DESC,
        membership.listed_at DESC
    LIMIT %(limit)s
) AS page
ORDER BY page.precedence DESC, page.id DESC
LIMIT %(limit)s
