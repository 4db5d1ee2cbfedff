-- As read_ids, of a window of the listing: the page, if many match and not all of them are far away. Where it is not full,
-- a last row without a release says whether the listing has more below the window.
WITH seen AS MATERIALIZED (
    SELECT membership.release_id AS id, membership.%(key)s, membership.folded_version
    FROM %(membership)s AS membership
    WHERE
        membership.project_id = %(project_id)s
        AND %(in_environment)s
        AND membership.status = %(status)s
        AND (membership.%(key)s, membership.release_id) < (%(after_key)s, %(after_id)s)
        AND (membership.%(key)s, membership.release_id) >= (%(floor_key)s, %(floor_id)s)
    ORDER BY membership.%(key)s DESC, membership.release_id DESC
    LIMIT %(window)s
),

page AS MATERIALIZED (
    SELECT seen.id, seen.%(key)s
    FROM seen
    WHERE seen.folded_version ^@ %(query)s
    ORDER BY seen.%(key)s DESC, seen.id DESC
    LIMIT %(limit)s
)

SELECT page.id, page.%(key)s, TRUE AS more FROM page
UNION ALL
SELECT NULL, NULL, count(*) = %(window)s FROM seen HAVING (SELECT count(*) FROM page) < %(limit)s
