-- As read_ids, where few match: all of them are read by version, as count_matching does. OFFSET 0 keeps the planner from
-- another order of work.
SELECT matching.id, matching.%(key)s
FROM (
    (
        SELECT membership.release_id AS id, membership.%(key)s
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND membership.stem >= %(query)s
            AND (%(above_query)s IS NULL OR membership.stem < %(above_query)s)
            AND membership.folded_version >= %(query)s
            AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
            AND (membership.%(key)s, membership.release_id) < (%(after_key)s, %(after_id)s)
        ORDER BY membership.stem DESC
        OFFSET 0
    )
    UNION ALL
    SELECT numbered.id, numbered.%(key)s
    FROM ROWS FROM (
        unnest(%(range_stems)s::text[]), unnest(%(lows)s::text[]), unnest(%(highs)s::text[])
    ) AS range (stem, low, high)
    CROSS JOIN LATERAL (
        SELECT membership.release_id AS id, membership.%(key)s
        FROM %(membership)s AS membership
        WHERE
            membership.project_id = %(project_id)s
            AND %(in_environment)s
            AND membership.status = %(status)s
            AND membership.stem = range.stem
            AND membership.precedence >= range.low
            AND membership.precedence < range.high
            AND membership.folded_version >= %(query)s
            AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
            AND (membership.%(key)s, membership.release_id) < (%(after_key)s, %(after_id)s)
        ORDER BY membership.precedence DESC
        OFFSET 0
    ) AS numbered
) AS matching
ORDER BY matching.%(key)s DESC, matching.id DESC
LIMIT %(limit)s
