-- Releases by id, each with the newest commit of its log.
SELECT
    organization.slug AS organization,
    release.id,
    release.version,
    release.status,
    release.ref,
    release.url,
    release.owner,
    release.date_added,
    release.date_started,
    release.date_released,
    release.commit_count,
    release.total_deploys,
    release.authors,
    release.package,
    release.major,
    release.minor,
    release.patch,
    release.revision,
    release.prerelease,
    release.build_code,
    commit.key AS last_commit
FROM release
JOIN organization ON organization.id = release.organization_id
LEFT JOIN commit ON commit.id = release.last_commit_id
WHERE release.id = ANY(%(release_ids)s)
