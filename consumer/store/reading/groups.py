"""Groups as people and programs read them (SEMANTICS section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.codes import GroupStatus, InboxReason, LinkedType, Relationship, ResolutionStatus, ResolutionType
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import UsageError
from consumer.store.reading.documents import Document, person, rows
from consumer.store.reading.organizations import unknown_organization

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow


def show_group(connection: Connection, organization: str, short_id: str) -> Document:
    """A group with its status, inbox reason, resolution, links and activity, in three statements.

    Args:
        connection: in a REPEATABLE READ transaction, so that the statements see the same state.
        organization: slug.
        short_id: such as ``WEB-12``, in any case.

    Raises:
        UsageError: there is no such organization or group.
    """
    found = rows(connection, "read_group", organization=organization, short_id=short_id.upper())
    if not found:
        raise unknown_organization(organization)
    group = found[0]
    if group.id is None:
        message = f"organization {organization} has no group {short_id!r}; check the short id, or publish group-updated"
        raise UsageError(message)
    return {
        "organization": group.organization,
        "project": group.project,
        "shortId": group.short_id,
        "title": group.title,
        "status": GroupStatus(group.status).label,
        "inbox": None if group.inbox_reason is None else InboxReason(group.inbox_reason).label,
        "resolution": _resolution(group),
        "links": _links(connection, group.id),
        "activity": _activity(connection, group.id),
    }


def _resolution(group: AnyRow) -> Document | None:
    if group.resolution_version is None:
        return None
    return {
        "release": group.resolution_version,
        "type": ResolutionType(group.resolution_type).label,
        "status": ResolutionStatus(group.resolution_status).label,
        "actor": person(group.actor_name, group.actor_email),
    }


def _links(connection: Connection, group_id: int) -> list[Document]:
    links = rows(
        connection,
        "read_group_links",
        group_id=group_id,
        commit=LinkedType.COMMIT.value,
        pull_request=LinkedType.PULL_REQUEST.value,
        issue=LinkedType.ISSUE.value,
    )
    return [
        {
            "type": LinkedType(link.linked_type).label,
            "id": link.key,
            "relationship": Relationship(link.relationship).label,
        }
        for link in links
    ]


def _activity(connection: Connection, group_id: int) -> list[Document]:
    return [
        {"type": activity.type, "data": activity.data, "dateCreated": format_timestamp(activity.date_added)}
        for activity in rows(connection, "read_group_activity", group_id=group_id)
    ]
