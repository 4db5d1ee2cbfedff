"""Writing releases: rows, projects, logs, heads, deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.store.copying import copy_rows, delete_rows, update_rows
from consumer.store.listing_keys import folded_version, precedence
from consumer.store.saving.selection import changed, new
from consumer.store.semver import SEMVER_COLUMNS, parse_release_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.store.database import Cursor
    from consumer.store.rows import Release
    from consumer.store.semver import ReleaseVersion
    from consumer.store.working_set import WorkingSet


def save_releases(cursor: Cursor, rows: WorkingSet) -> None:
    """Write releases with projects, logs, heads and deploys; those that were deleted go first."""
    _delete_releases(cursor, rows.deleted_releases)
    releases = rows.releases.values()
    if rows.has_overtaken_logs:
        _forget_overtaken_digests(releases)
    created = new(rows.releases)
    parsed = {release.id: parse_release_version(release.version) for release in created}
    copy_rows(
        cursor,
        "release",
        "id, organization_id, version, status, ref, url, owner, date_added, date_started, date_released,"
        " commit_count, last_commit_id, authors, log_digest, log_set_at, total_deploys, last_deploy_id,"
        f" {SEMVER_COLUMNS}",
        [
            (
                r.id,
                r.organization.id,
                r.version,
                r.status,
                r.ref,
                r.url,
                r.owner,
                r.date_added,
                r.date_started,
                r.date_released,
                len(r.log),
                _last_commit_id(r),
                _author_ids(r),
                r.log_digest,
                r.log_set_at,
                len(r.deploys),
                _last_deploy_id(r),
                *parsed[r.id],
            )
            for r in created
        ],
    )
    update_rows(
        cursor,
        "update_releases",
        [
            {
                "id": r.id,
                "status": r.status,
                "ref": r.ref,
                "url": r.url,
                "date_released": r.date_released,
                "new_deploys": sum(1 for deploy in r.deploys if not deploy.stored),
                "last_deploy_id": _last_deploy_id(r),
                "commit_count": len(r.log),
                "last_commit_id": _last_commit_id(r),
                "authors": _author_ids(r),
                "log_known": r.log_known,
                "log_digest": r.log_digest.hex() if r.log_digest else None,
                "log_set_at": r.log_set_at,
            }
            for r in changed(releases)
        ],
    )
    relisted = [{"id": r.id, "status": r.status, "listed_at": r.listed_at} for r in changed(releases)]
    delete_rows(cursor, "relist_releases", relisted)
    delete_rows(cursor, "relist_release_environments", relisted)
    copy_rows(
        cursor,
        "release_project",
        "release_id, project_id, date_added, status, listed_at, folded_version, precedence",
        [
            (r.id, project_id, r.date_added, r.status, r.listed_at, *_listing_keys(r, parsed.get(r.id)))
            for r in releases
            for project_id in r.projects
            if project_id not in r.stored_projects
        ],
    )
    relogged = [r for r in releases if r.log_changed]
    delete_rows(cursor, "delete_logs", [r.id for r in relogged if r.stored])
    copy_rows(
        cursor,
        "release_commit",
        "release_id, position, commit_id, timestamp",
        [
            (r.id, position, commit.id, timestamp)
            for r in relogged
            for position, (commit, timestamp) in enumerate(r.log)
        ],
    )
    _save_heads(cursor, releases)
    _save_deploys(cursor, rows, releases)


def _delete_releases(cursor: Cursor, releases: Iterable[Release]) -> None:
    """One statement a table, as every table of a release has its own key."""
    ids = sorted(release.id for release in releases)
    for name in (
        "delete_logs",
        "delete_release_heads",
        "delete_release_projects",
        "delete_release_environments",
        "delete_deploys",
        "delete_resolved_by",
        "delete_releases",
    ):
        delete_rows(cursor, name, ids)


def _save_deploys(cursor: Cursor, rows: WorkingSet, releases: Iterable[Release]) -> None:
    copy_rows(
        cursor,
        "deploy",
        "id, release_id, environment_id, name, url, date_started, date_finished, project_ids",
        [
            (d.id, r.id, d.environment.id, d.name, d.url, d.date_started, d.date_finished, d.project_ids)
            for r in releases
            for d in r.deploys
            if not d.stored
        ],
    )
    told_of_more = changed(deploy for release in releases for deploy in release.deploys)
    update_rows(cursor, "update_deploys", [{"id": d.id, "project_ids": d.project_ids} for d in told_of_more])
    update_rows(
        cursor,
        "upsert_release_environments",
        [
            {
                "release_id": release_id,
                "project_id": project_id,
                "environment_id": environment_id,
                "status": release.status,
                "listed_at": release.listed_at,
                **dict(zip(("folded_version", "precedence"), _listing_keys(release), strict=True)),
                "seen_at": deploy.date_finished,
                "last_deploy_id": deploy.id,
            }
            for (release_id, project_id, environment_id), (release, deploy) in sorted(
                rows.seen_environments.items(), key=lambda item: item[0]
            )
        ],
    )


def _listing_keys(release: Release, parsed: ReleaseVersion | None = None) -> tuple[str, str]:
    """What listings find and sort the release by, beside its date; the version may have been parsed already."""
    return folded_version(release.version), precedence(parsed or parse_release_version(release.version))


def _last_deploy_id(release: Release) -> int | None:
    fresh = [deploy.id for deploy in release.deploys if not deploy.stored]
    return fresh[-1] if fresh else None


def _forget_overtaken_digests(releases: Iterable[Release]) -> None:
    """The batch modified a commit of a log after the log was set, in it or before it: compare in full next time."""
    for release in releases:
        if any(commit.modified_by > release.log_set_by for commit, _ in release.log):
            release.log_digest = None


def _save_heads(cursor: Cursor, releases: Iterable[Release]) -> None:
    gone: list[dict[str, int]] = []
    added: list[tuple[int, int, int]] = []
    for release in releases:
        heads = {repository_id: commit.id for repository_id, commit in release.heads.items()}
        if heads == release.stored_heads:
            continue
        for repository_id, commit_id in release.stored_heads.items():
            if heads.get(repository_id) != commit_id:
                gone.append({"release_id": release.id, "repository_id": repository_id})
        for repository_id, commit_id in heads.items():
            if release.stored_heads.get(repository_id) != commit_id:
                added.append((release.id, repository_id, commit_id))
    delete_rows(cursor, "delete_heads", gone)
    copy_rows(cursor, "release_head_commit", "release_id, repository_id, commit_id", added)


def _last_commit_id(release: Release) -> int | None:
    return release.log[0][0].id if release.log else None


def _author_ids(release: Release) -> list[int]:
    return list(dict.fromkeys([commit.author.id for commit, _ in release.log if commit.author]))
