-- As read_ids, where few match: all of them are read by version. OFFSET 0 keeps the planner from another order of work.
SELECT matching.id, matching.%(key)s
FROM (
    SELECT membership.release_id AS id, membership.%(key)s
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND membership.folded_version >= %(query)s
        AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
        AND (membership.%(key)s, membership.release_id) < (%(after_key)s, %(after_id)s)
    ORDER BY membership.folded_version DESC
    OFFSET 0
) AS matching
ORDER BY matching.%(key)s DESC, matching.id DESC
LIMIT %(limit)s
