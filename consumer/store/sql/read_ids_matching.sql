-- A look at what matches, found by version: of stems that start like the query, from the last that was looked at, and of
-- the ranges of the query's own stem, so many that lie below one place and not below another; both are passed over
-- inside the index. The ranges may have other versions too. Of what is seen: the page, as read_ids; whether there is
-- more; whether most is above the page; and the last stem, empty where there are no more. There is a row without a
-- release where the page has none. OFFSET 0, and orders to the last column, keep the planner to the index of versions.
WITH of_stems AS MATERIALIZED (
    SELECT membership.release_id AS id, membership.%(key)s, membership.folded_version, membership.stem
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND membership.stem >= %(query)s
        AND (%(above_query)s IS NULL OR membership.stem < %(above_query)s)
        AND (%(last_stem)s IS NULL OR membership.stem <= %(last_stem)s)
        AND (membership.%(key)s, membership.release_id) < (%(below_key)s, %(below_id)s)
        AND (membership.%(key)s, membership.release_id) >= (%(floor_key)s, %(floor_id)s)
    ORDER BY membership.stem DESC
    LIMIT %(few)s + 1
),

of_ranges AS MATERIALIZED (
    SELECT numbered.id, numbered.%(key)s, numbered.folded_version
    FROM ROWS FROM (
        unnest(%(range_stems)s::text[]), unnest(%(lows)s::text[]), unnest(%(highs)s::text[])
    ) AS range (stem, low, high)
    CROSS JOIN LATERAL (
        SELECT membership.release_id AS id, membership.%(key)s, membership.folded_version
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND membership.stem = range.stem
            AND membership.precedence >= range.low
            AND membership.precedence < range.high
            AND (membership.%(key)s, membership.release_id) < (%(below_key)s, %(below_id)s)
            AND (membership.%(key)s, membership.release_id) >= (%(floor_key)s, %(floor_id)s)
        ORDER BY
            membership.precedence DESC,
            membership.release_id DESC,
            membership.folded_version DESC,
            membership.listed_at DESC
        OFFSET 0
    ) AS numbered
    LIMIT %(few)s + 1
),

seen AS (
    SELECT of_stems.id, of_stems.%(key)s, of_stems.folded_version FROM of_stems
    UNION ALL
    SELECT of_ranges.id, of_ranges.%(key)s, of_ranges.folded_version FROM of_ranges
),

counted AS (
    SELECT
        of_stems.seen > %(few)s OR of_ranges.seen > %(few)s AS more,
        of_stems.above + of_ranges.above > (of_stems.seen + of_ranges.seen) / 2 AS mostly_above,
        CASE WHEN of_stems.seen > %(few)s THEN of_stems.last_stem ELSE '' END AS last_stem
    FROM
        (
            SELECT
                count(*) AS seen,
                count(*) FILTER (WHERE (of_stems.%(key)s, of_stems.id) >= (%(after_key)s, %(after_id)s)) AS above,
                min(of_stems.stem) AS last_stem
            FROM of_stems
        ) AS of_stems
    CROSS JOIN (
        SELECT
            count(*) AS seen,
            count(*) FILTER (WHERE (of_ranges.%(key)s, of_ranges.id) >= (%(after_key)s, %(after_id)s)) AS above
        FROM of_ranges
    ) AS of_ranges
)

SELECT page.id, page.%(key)s, counted.more, counted.mostly_above, counted.last_stem
FROM counted
LEFT JOIN LATERAL (
    SELECT seen.id, seen.%(key)s
    FROM seen
    WHERE
        seen.folded_version >= %(query)s
        AND (%(above_query)s IS NULL OR seen.folded_version < %(above_query)s)
        AND (seen.%(key)s, seen.id) < (%(after_key)s, %(after_id)s)
    ORDER BY seen.%(key)s DESC, seen.id DESC
    LIMIT %(limit)s
) AS page ON TRUE
ORDER BY page.%(key)s DESC, page.id DESC
