-- One release with the newest commit of its log; a row with release.id NULL where only the organization is known.
SELECT
    organization.slug AS organization,
    organization.id AS organization_id,
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
    release.package,
    release.major,
    release.minor,
    release.patch,
    release.revision,
    release.prerelease,
    release.build_code,
    commit.key AS last_commit
FROM organization
LEFT JOIN release ON release.organization_id = organization.id AND release.version = %(version)s
LEFT JOIN commit ON commit.id = release.last_commit_id
WHERE organization.slug = %(organization)s
