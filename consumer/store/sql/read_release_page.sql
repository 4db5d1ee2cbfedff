-- Releases of a project, newest first, after the one that the cursor names. The parameters are literals to the
-- planner: conditions that are switched off cost nothing.
SELECT
    organization.slug AS organization,
    release.id,
    release.version,
    release.status,
    release.ref,
    release.url,
    release.date_added,
    release.date_released,
    release.commit_count,
    release.authors,
    commit.key AS last_commit,
    coalesce(release.date_released, release.date_added) AS sorted_by
FROM release
JOIN organization ON organization.id = release.organization_id
LEFT JOIN commit ON commit.id = release.last_commit_id
WHERE
    release.organization_id = %(organization_id)s
    AND EXISTS (
        SELECT FROM release_project
        WHERE release_project.release_id = release.id AND release_project.project_id = %(project_id)s
    )
    AND (%(status)s IS NULL OR release.status = %(status)s)
    AND (%(query)s IS NULL OR lower(release.version) ^@ lower(%(query)s))
    AND (
        %(after_id)s IS NULL
        OR (coalesce(release.date_released, release.date_added), release.id) < (%(after)s::timestamptz, %(after_id)s)
    )
ORDER BY sorted_by DESC, release.id DESC
LIMIT %(limit)s
