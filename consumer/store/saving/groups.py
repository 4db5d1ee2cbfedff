"""Writing pull requests, references and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumer.store.copying import copy_rows, delete_rows, update_rows
from consumer.store.saving.selection import changed, new

if TYPE_CHECKING:
    from consumer.contracts.events import Actor
    from consumer.store.database import Cursor
    from consumer.store.rows import Group
    from consumer.store.working_set import WorkingSet


def save_pull_requests(cursor: Cursor, rows: WorkingSet) -> None:
    """Write pull requests."""
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
            for r in new(rows.pull_requests)
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
            for r in changed(rows.pull_requests.values())
        ],
    )


def save_references(cursor: Cursor, rows: WorkingSet) -> None:
    """Write which short ids the messages of commits and pull requests name."""
    gone: list[dict[str, Any]] = []
    added: list[tuple[Any, ...]] = []
    for (linked_type, linked_id), (organization_id, stored, now) in rows.references_changed.items():
        gone += [
            {"linked_type": linked_type, "linked_id": linked_id, "short_id": short_id} for short_id in stored - now
        ]
        added += [(organization_id, short_id, linked_type, linked_id) for short_id in now - stored]
    delete_rows(cursor, "delete_references", gone)
    copy_rows(cursor, "message_reference", "organization_id, short_id, linked_type, linked_id", added)


def save_groups(cursor: Cursor, rows: WorkingSet) -> None:
    """Write groups with inbox, resolution, links, history, and the external issues they are linked to."""
    copy_rows(
        cursor,
        "external_issue",
        "id, organization_id, provider, key, url",
        [(r.id, r.organization_id, r.provider, r.key, r.url) for r in new(rows.external_issues)],
    )
    update_rows(
        cursor,
        "update_external_issues",
        [{"id": r.id, "url": r.url, "xmin": r.xmin} for r in changed(rows.external_issues.values())],
    )
    created, updated = new(rows.groups), changed(rows.groups.values())
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
            for r in created
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
            for r in updated
        ],
    )
    _save_group_parts(cursor, rows, created, updated)


def _save_group_parts(cursor: Cursor, rows: WorkingSet, created: list[Group], updated: list[Group]) -> None:
    """Inbox, resolution, links, history: parts of a group, guarded by the group's row."""
    now = rows.tick()
    delete_rows(cursor, "delete_inbox", [r.id for r in updated if r.inbox is None])
    update_rows(
        cursor,
        "upsert_inbox",
        [{"group_id": r.id, "reason": r.inbox, "now": now} for r in created + updated if r.inbox is not None],
    )
    delete_rows(cursor, "delete_resolutions", [r.id for r in updated if r.resolution is None])
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
            for r in created + updated
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
            for r in created + updated
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
