-- As read_ids_by_date, of versions that start with the query. First a window of the listing is looked through: that
-- fills the page where many match. Where it does not, few match, or all of them far away: they are read by version.
-- OFFSET 0 keeps the planner from another order of work; of a CTE only what is asked for is computed.
WITH listed AS NOT MATERIALIZED (
    SELECT membership.release_id AS id, membership.listed_at
    FROM %(membership)s AS membership
    WHERE membership.project_id = %(project_id)s AND membership.status = %(status)s AND %(in_environment)s
),
seen AS MATERIALIZED (
    SELECT listed.id, listed.listed_at
    FROM listed
    WHERE (listed.listed_at, listed.id) < %(after)s
    ORDER BY listed.listed_at DESC, listed.id DESC
    LIMIT %(window)s
),
near AS MATERIALIZED (
    SELECT seen.id, seen.listed_at
    FROM seen
    CROSS JOIN LATERAL (
        SELECT FROM release WHERE release.id = seen.id AND lower(release.version) ^@ lower(%(query)s) OFFSET 0
    ) AS matching
    ORDER BY seen.listed_at DESC, seen.id DESC
    LIMIT %(limit)s
),
-- Where the page goes on from; nothing where it is full, or the listing at its end.
rest AS MATERIALIZED (
    SELECT seen.id, seen.listed_at
    FROM seen
    WHERE
        CASE
            WHEN (SELECT count(*) FROM near) < %(limit)s THEN (SELECT count(*) FROM seen) = %(window)s
            ELSE FALSE
        END
    ORDER BY seen.listed_at, seen.id
    LIMIT 1
),
matching AS (
    SELECT release.id, coalesce(release.date_released, release.date_added) AS listed_at
    FROM rest
    CROSS JOIN release
    WHERE
        release.organization_id = %(organization_id)s
        AND release.status = %(status)s
        AND lower(release.version) ^@ lower(%(query)s)
        AND (coalesce(release.date_released, release.date_added), release.id) < (rest.listed_at, rest.id)
    ORDER BY listed_at DESC, release.id DESC
    OFFSET 0
),
far AS (
    SELECT matching.id, matching.listed_at
    FROM matching
    CROSS JOIN LATERAL (SELECT FROM listed WHERE listed.id = matching.id OFFSET 0) AS member
    ORDER BY matching.listed_at DESC, matching.id DESC
    LIMIT %(limit)s
)
SELECT near.id, near.listed_at FROM near
UNION ALL
SELECT far.id, far.listed_at FROM far
ORDER BY listed_at DESC, id DESC
LIMIT %(limit)s
