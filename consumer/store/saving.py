"""Writing a working set back: new rows by COPY, changes by one statement a table.

Nothing here decides anything: a row that another transaction touched since it was read makes the batch fail
(``StaleSnapshot``, or a unique violation for a row made twice), and the batch is read and applied anew.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from consumer.store.copying import copy_rows, delete_rows, update_rows
from consumer.store.rows import Commit, Group, Release, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.contracts.events import Actor
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet

R = TypeVar("R", bound=Row)


def save(cursor: Cursor, rows: WorkingSet) -> None:
    """Write everything that the batch created and changed, except its facts (``store.outbox``).

    Raises:
        StaleSnapshot: a row that the batch read was changed by another transaction.
        psycopg2.IntegrityError: another transaction made the same row first.
    """
    modified = _changed(rows.commits.values())
    delete_rows(cursor, "lock_followers", [commit.id for commit in modified])
    _save_catalog(cursor, rows)
    _save_commits(cursor, rows, modified)
    _save_releases(cursor, rows)
    _save_pull_requests(cursor, rows)
    _save_references(cursor, rows)
    _save_groups(cursor, rows)


def _new(rows: Mapping[Any, R]) -> list[R]:
    # In the order of their natural keys, for the same reason as below: two batches may make the same rows.
    return [row for _, row in sorted((item for item in rows.items() if not item[1].stored), key=itemgetter(0))]


def _changed(rows: Iterable[R]) -> list[R]:
    # In the order of ids, so that two batches never wait for each other in a circle.
    return sorted((row for row in rows if row.stored and row.changed), key=lambda row: row.id)


def _save_catalog(cursor: Cursor, rows: WorkingSet) -> None:
    now = rows.tick()
    copy_rows(cursor, "organization", "id, slug, date_added", [(r.id, r.slug, now) for r in _new(rows.organizations)])
    copy_rows(
        cursor,
        "project",
        "id, organization_id, slug, name, platform, date_added",
        [(r.id, r.organization_id, r.slug, r.name, r.platform, now) for r in _new(rows.projects)],
    )
    update_rows(
        cursor,
        "update_projects",
        [
            {"id": r.id, "name": r.name, "platform": r.platform, "xmin": r.xmin}
            for r in _changed(rows.projects.values())
        ],
    )
    copy_rows(
        cursor,
        "repository",
        "id, organization_id, name",
        [(r.id, r.organization_id, r.name) for r in _new(rows.repositories)],
    )
    copy_rows(
        cursor,
        "commit_author",
        "id, organization_id, email, name",
        [(r.id, r.organization_id, r.email, r.name) for r in _new(rows.authors)],
    )
    update_rows(
        cursor,
        "update_authors",
        [{"id": r.id, "name": r.name, "xmin": r.xmin} for r in _changed(rows.authors.values())],
    )


def _save_commits(cursor: Cursor, rows: WorkingSet, modified: list[Commit]) -> None:
    copy_rows(
        cursor,
        "commit",
        "id, repository_id, key, author_id, date_added, message",
        [
            (r.id, r.repository.id, r.key, r.author.id if r.author else None, r.date_added, r.message)
            for r in _new(rows.commits)
        ],
    )
    update_rows(
        cursor,
        "update_commits",
        [
            {
                "id": r.id,
                "author_id": r.author.id if r.author else None,
                "date_added": r.date_added,
                "message": r.message,
                "xmin": r.xmin,
            }
            for r in modified
        ],
    )
    delete_rows(cursor, "follow_commits", [commit.id for commit in modified])
    copy_rows(cursor, "commit_file_change", "commit_id, filename, type", sorted(rows.new_file_changes))


def _save_releases(cursor: Cursor, rows: WorkingSet) -> None:
    releases = rows.releases.values()
    _forget_overtaken_digests(releases)
    new = _new(rows.releases)
    copy_rows(
        cursor,
        "release",
        "id, organization_id, version, status, ref, url, owner, date_added, date_started, date_released,"
        " commit_count, last_commit_id, authors, log_digest, log_set_at",
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
            )
            for r in new
        ],
    )
    changed = _changed(releases)
    update_rows(
        cursor,
        "update_releases",
        [
            {
                "id": r.id,
                "status": r.status,
                "commit_count": len(r.log),
                "last_commit_id": _last_commit_id(r),
                "authors": _author_ids(r),
                "log_known": r.log_known,
                "log_digest": r.log_digest.hex() if r.log_digest else None,
                "log_set_at": r.log_set_at,
            }
            for r in changed
        ],
    )
    copy_rows(
        cursor,
        "release_project",
        "release_id, project_id",
        [(r.id, project_id) for r in releases for project_id, stored in r.project_ids.items() if not stored],
    )
    relogged = [r for r in releases if r.log_changed]
    delete_rows(cursor, "delete_logs", [r.id for r in relogged if r.stored])
    copy_rows(
        cursor,
        "release_commit",
        "release_id, position, commit_id, timestamp",
        [(r.id, position, entry.commit.id, entry.timestamp) for r in relogged for position, entry in enumerate(r.log)],
    )
    _save_heads(cursor, releases)


def _forget_overtaken_digests(releases: Iterable[Release]) -> None:
    """The batch modified a commit of a log after the log was set, in it or before it: compare in full next time."""
    for release in releases:
        if any(entry.commit.modified_by > release.log_set_by for entry in release.log):
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
    return release.log[0].commit.id if release.log else None


def _author_ids(release: Release) -> list[int]:
    return list(dict.fromkeys(entry.commit.author.id for entry in release.log if entry.commit.author))


def _save_pull_requests(cursor: Cursor, rows: WorkingSet) -> None:
    copy_rows(
        cursor,
        "pull_request",
        "id, organization_id, repository_id, key, title, message, author_id, merge_commit_sha",
        [
            (
                r.id,
                r.organization_id,
                r.repository.id,
                r.key,
                r.title,
                r.message,
                r.author.id if r.author else None,
                r.merge_commit_sha,
            )
            for r in _new(rows.pull_requests)
        ],
    )
    update_rows(
        cursor,
        "update_pull_requests",
        [
            {
                "id": r.id,
                "title": r.title,
                "message": r.message,
                "author_id": r.author.id if r.author else None,
                "merge_commit_sha": r.merge_commit_sha,
                "xmin": r.xmin,
            }
            for r in _changed(rows.pull_requests.values())
        ],
    )


def _save_references(cursor: Cursor, rows: WorkingSet) -> None:
    gone: list[dict[str, Any]] = []
    added: list[tuple[Any, ...]] = []
    for (linked_type, linked_id), (organization_id, stored, now) in rows.references_changed.items():
        gone += [
            {"linked_type": linked_type, "linked_id": linked_id, "short_id": short_id} for short_id in stored - now
        ]
        added += [(organization_id, short_id, linked_type, linked_id) for short_id in now - stored]
    delete_rows(cursor, "delete_references", gone)
    copy_rows(cursor, "message_reference", "organization_id, short_id, linked_type, linked_id", added)


def _save_groups(cursor: Cursor, rows: WorkingSet) -> None:
    copy_rows(
        cursor,
        "external_issue",
        "id, organization_id, provider, key, url",
        [(r.id, r.organization_id, r.provider, r.key, r.url) for r in _new(rows.external_issues)],
    )
    update_rows(
        cursor,
        "update_external_issues",
        [{"id": r.id, "url": r.url, "xmin": r.xmin} for r in _changed(rows.external_issues.values())],
    )
    new, changed = _new(rows.groups), _changed(rows.groups.values())
    copy_rows(
        cursor,
        "issue_group",
        "id, organization_id, project_id, short_id, title, status, first_release, resolved_at, date_added",
        [
            (
                r.id,
                r.organization.id,
                r.project.id,
                r.short_id,
                r.title,
                r.status,
                r.first_release,
                r.resolved_at,
                r.date_added,
            )
            for r in new
        ],
    )
    update_rows(
        cursor,
        "update_groups",
        [
            {
                "id": r.id,
                "project_id": r.project.id,
                "title": r.title,
                "status": r.status,
                "first_release": r.first_release,
                "resolved_at": r.resolved_at,
                "xmin": r.xmin,
            }
            for r in changed
        ],
    )
    _save_group_parts(cursor, rows, new, changed)


def _save_group_parts(cursor: Cursor, rows: WorkingSet, new: list[Group], changed: list[Group]) -> None:
    """Inbox, resolution, links, history: parts of a group, guarded by the group's row."""
    now = rows.tick()
    delete_rows(cursor, "delete_inbox", [r.id for r in changed if r.inbox is None])
    update_rows(
        cursor,
        "upsert_inbox",
        [{"group_id": r.id, "reason": r.inbox, "now": now} for r in new + changed if r.inbox is not None],
    )
    delete_rows(cursor, "delete_resolutions", [r.id for r in changed if r.resolution is None])
    update_rows(
        cursor,
        "upsert_resolutions",
        [
            {
                "group_id": r.id,
                "version": r.resolution.version,
                "type": r.resolution.type,
                "status": r.resolution.status,
                "actor_name": r.resolution.actor.name if r.resolution.actor else None,
                "actor_email": r.resolution.actor.email if r.resolution.actor else None,
                "date_added": r.resolution.date_added,
            }
            for r in new + changed
            if r.resolution is not None
        ],
    )
    delete_rows(cursor, "delete_links", rows.links_removed)
    copy_rows(
        cursor,
        "group_link",
        "id, group_id, linked_type, linked_id, relationship",
        [
            (link.id, r.id, linked_type, linked_id, link.relationship)
            for r in new + changed
            for (linked_type, linked_id), link in r.links.items()
            if not link.stored
        ],
    )
    copy_rows(cursor, "group_resolved_by", "group_id, release_id, linked_type, linked_id", rows.resolved_by_added)
    copy_rows(
        cursor,
        "group_history",
        "group_id, status, version, actor_name, actor_email, date_added",
        [(h.group.id, h.status, h.version, *_actor_columns(h.actor), h.date_added) for h in rows.history],
    )


def _actor_columns(actor: Actor | None) -> tuple[str | None, str | None]:
    return (actor.name, actor.email) if actor else (None, None)
