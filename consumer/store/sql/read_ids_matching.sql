-- A look at what matches, found by version, greatest text first: from the last version that was looked at, so many that
-- lie below one place of the listing and not below another; what does not is passed over inside the index. Of what is
-- seen: the page, as read_ids; whether there is more; and the last version. There is a row without a release where the
-- page has none.
WITH seen AS MATERIALIZED (
    SELECT membership.release_id AS id, membership.%(key)s, membership.folded_version
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND membership.folded_version >= %(query)s
        AND (%(above_query)s IS NULL OR membership.folded_version < %(above_query)s)
        AND (%(last_version)s IS NULL OR membership.folded_version <= %(last_version)s)
        AND (membership.%(key)s, membership.release_id) < (%(below_key)s, %(below_id)s)
        AND (membership.%(key)s, membership.release_id) >= (%(floor_key)s, %(floor_id)s)
    ORDER BY membership.folded_version DESC
    LIMIT %(few)s + 1
),

counted AS (
    SELECT count(*) > %(few)s AS more, min(seen.folded_version) AS last_version FROM seen
)

SELECT page.id, page.%(key)s, counted.more, counted.last_version
FROM counted
LEFT JOIN LATERAL (
    SELECT seen.id, seen.%(key)s
    FROM seen
    WHERE (seen.%(key)s, seen.id) < (%(after_key)s, %(after_id)s)
    ORDER BY seen.%(key)s DESC, seen.id DESC
    LIMIT %(limit)s
) AS page ON TRUE
ORDER BY page.%(key)s DESC, page.id DESC
