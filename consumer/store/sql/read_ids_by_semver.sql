-- Releases of a project, or of an environment of it, by semantic version, greatest first; what is none comes last.
-- Of a project that has few releases, all are read. Else a window of the versions of the organization is looked
-- through: that fills the page where the project has many of them. Where it does not, all that match are read: by
-- version, or without a query by project. The expressions are those of release_semver_idx.
-- OFFSET 0 keeps the planner from another order of work; of a CTE only what is asked for is computed.
WITH listed AS NOT MATERIALIZED (
    SELECT membership.release_id AS id, membership.listed_at
    FROM %(membership)s AS membership
    WHERE membership.project_id = %(project_id)s AND membership.status = %(status)s AND %(in_environment)s
),
keyed AS NOT MATERIALIZED (
    SELECT
        release.id,
        release.version,
        coalesce(release.major, -1) AS major,
        coalesce(release.minor, -1) AS minor,
        coalesce(release.patch, -1) AS patch,
        coalesce(release.revision, -1) AS revision,
        coalesce(
            CASE release.prerelease
                WHEN '' THEN '~'
                ELSE translate(
                    regexp_replace(
                        regexp_replace(
                            release.prerelease, '(?<![^.])([0-9]+)(?![^.])', '!00000000000\1', 'g'
                        ),
                        '!0*(?=[0-9]{12})',
                        '!',
                        'g'
                    ),
                    '.',
                    ' '
                )
            END,
            ''
        ) COLLATE "C" AS stage
    FROM release
    WHERE release.organization_id = %(organization_id)s AND release.status = %(status)s
),
few AS MATERIALIZED (
    SELECT listed.id FROM listed ORDER BY listed.listed_at DESC, listed.id DESC LIMIT %(window)s
),
small AS (
    SELECT keyed.*
    FROM few
    CROSS JOIN LATERAL (SELECT keyed.* FROM keyed WHERE keyed.id = few.id OFFSET 0) AS keyed
    WHERE
        (SELECT count(*) FROM few) < %(window)s
        AND (%(query)s IS NULL OR lower(keyed.version) ^@ lower(%(query)s))
        AND (keyed.major, keyed.minor, keyed.patch, keyed.revision, keyed.stage, keyed.id) < %(after)s
    ORDER BY
        keyed.major DESC, keyed.minor DESC, keyed.patch DESC, keyed.revision DESC, keyed.stage DESC, keyed.id DESC
    LIMIT %(limit)s
),
seen AS MATERIALIZED (
    SELECT keyed.*
    FROM keyed
    WHERE
        (SELECT count(*) FROM few) = %(window)s
        AND (keyed.major, keyed.minor, keyed.patch, keyed.revision, keyed.stage, keyed.id) < %(after)s
    ORDER BY
        keyed.major DESC, keyed.minor DESC, keyed.patch DESC, keyed.revision DESC, keyed.stage DESC, keyed.id DESC
    LIMIT %(window)s
),
near AS MATERIALIZED (
    SELECT seen.*
    FROM seen
    CROSS JOIN LATERAL (SELECT FROM listed WHERE listed.id = seen.id OFFSET 0) AS member
    WHERE %(query)s IS NULL OR lower(seen.version) ^@ lower(%(query)s)
    ORDER BY seen.major DESC, seen.minor DESC, seen.patch DESC, seen.revision DESC, seen.stage DESC, seen.id DESC
    LIMIT %(limit)s
),
-- Where the page goes on from; nothing where it is full, or the listing at its end.
rest AS MATERIALIZED (
    SELECT seen.*
    FROM seen
    WHERE
        CASE
            WHEN (SELECT count(*) FROM near) < %(limit)s THEN (SELECT count(*) FROM seen) = %(window)s
            ELSE FALSE
        END
    ORDER BY seen.major, seen.minor, seen.patch, seen.revision, seen.stage, seen.id
    LIMIT 1
),
matching AS (
    SELECT keyed.*
    FROM rest
    CROSS JOIN keyed
    WHERE
        lower(keyed.version) ^@ lower(%(query)s)
        AND (keyed.major, keyed.minor, keyed.patch, keyed.revision, keyed.stage, keyed.id)
        < (rest.major, rest.minor, rest.patch, rest.revision, rest.stage, rest.id)
    ORDER BY
        keyed.major DESC, keyed.minor DESC, keyed.patch DESC, keyed.revision DESC, keyed.stage DESC, keyed.id DESC
    OFFSET 0
),
far AS (
    SELECT matching.*
    FROM matching
    CROSS JOIN LATERAL (SELECT FROM listed WHERE listed.id = matching.id OFFSET 0) AS member
    ORDER BY
        matching.major DESC, matching.minor DESC, matching.patch DESC, matching.revision DESC, matching.stage DESC, matching.id DESC
    LIMIT %(limit)s
),
others AS (
    SELECT keyed.*
    FROM rest
    CROSS JOIN listed
    CROSS JOIN LATERAL (SELECT keyed.* FROM keyed WHERE keyed.id = listed.id OFFSET 0) AS keyed
    WHERE
        %(query)s IS NULL
        AND (keyed.major, keyed.minor, keyed.patch, keyed.revision, keyed.stage, keyed.id)
        < (rest.major, rest.minor, rest.patch, rest.revision, rest.stage, rest.id)
    ORDER BY
        keyed.major DESC, keyed.minor DESC, keyed.patch DESC, keyed.revision DESC, keyed.stage DESC, keyed.id DESC
    LIMIT %(limit)s
)
SELECT small.* FROM small
UNION ALL
SELECT near.* FROM near
UNION ALL
SELECT far.* FROM far
UNION ALL
SELECT others.* FROM others
ORDER BY major DESC, minor DESC, patch DESC, revision DESC, stage DESC, id DESC
LIMIT %(limit)s
