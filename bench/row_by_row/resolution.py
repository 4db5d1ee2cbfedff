"""The rules about groups, one row at a time (SEMANTICS section 5)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from bench.row_by_row.models import (
    Commit,
    CommitAuthor,
    ExternalIssue,
    Group,
    GroupHistory,
    GroupInbox,
    GroupLink,
    GroupResolution,
    GroupResolvedBy,
    MessageReference,
    PullRequest,
    Release,
    Repository,
)
from bench.row_by_row.unit import actor_data
from consumer.codes import (
    ActivityType,
    GroupStatus,
    HistoryStatus,
    LinkedType,
    Relationship,
    ResolutionStatus,
    ResolutionType,
)
from consumer.contracts import Actor
from consumer.handlers.references import find_references

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.row_by_row.unit import Unit

Target = Commit | PullRequest


def link_groups(unit: Unit, organization_id: int, commit: Commit) -> None:
    """Link the groups that the message of a new commit names; what it names is kept for groups that come later."""
    short_ids = find_references(commit.message)
    if not short_ids:
        return
    unit.session.add_all(
        MessageReference(
            organization_id=organization_id, short_id=short_id, linked_type=LinkedType.COMMIT, linked_id=commit.id
        )
        for short_id in sorted(short_ids)
    )
    column = Group.__table__.c
    named = select(Group).where(column.organization_id == organization_id, column.short_id.in_(short_ids))
    for group in unit.session.scalars(named.order_by(column.short_id)):
        key = {"group_id": group.id, "linked_type": LinkedType.COMMIT, "linked_id": commit.id}
        unit.get_or_create(GroupLink, key, relationship=Relationship.RESOLVES)


def resolve_groups(unit: Unit, release: Release, log: Sequence[Commit], projects: Mapping[int, str]) -> None:
    """Resolve the groups of the release's projects that its commits, or pull requests merged by them, are linked to."""
    targets: dict[tuple[int, int], Target] = {(LinkedType.COMMIT, commit.id): commit for commit in log}
    column = PullRequest.__table__.c
    merged = select(PullRequest).where(
        column.organization_id == release.organization_id, column.merge_commit_sha.in_([commit.key for commit in log])
    )
    targets |= {(LinkedType.PULL_REQUEST, pull.id): pull for pull in unit.session.scalars(merged)}
    links = _find_links(unit, targets)
    for group in sorted(links, key=lambda group: str(group.short_id)):
        if group.project_id in projects:
            _resolve(unit, release, group, projects[group.project_id], links[group], targets)


def _find_links(unit: Unit, targets: Mapping[tuple[int, int], Target]) -> dict[Group, list[GroupLink]]:
    """The links that resolve, by group."""
    by_type: defaultdict[int, list[int]] = defaultdict(list)
    for linked_type, linked_id in targets:
        by_type[linked_type].append(linked_id)
    link = GroupLink.__table__.c
    query = (
        select(GroupLink, Group)
        .join(Group, Group.__table__.c.id == link.group_id)
        .where(
            link.relationship == Relationship.RESOLVES,
            or_(*(and_(link.linked_type == type_, link.linked_id.in_(ids)) for type_, ids in by_type.items())),
        )
        .order_by(link.linked_type, link.id)
    )
    found: defaultdict[Group, list[GroupLink]] = defaultdict(list)
    for row, group in unit.session.execute(query):
        found[group].append(row)
    return found


def _resolve(
    unit: Unit,
    release: Release,
    group: Group,
    project: str,
    links: Sequence[GroupLink],
    targets: Mapping[tuple[int, int], Target],
) -> None:
    """Resolve one group; the same commit or pull request resolves it in a release once."""
    session = unit.session
    known = {
        (resolved.linked_type, resolved.linked_id)
        for resolved in session.scalars(select(GroupResolvedBy).filter_by(group_id=group.id, release_id=release.id))
    }
    new = [(link.linked_type, link.linked_id) for link in links if (link.linked_type, link.linked_id) not in known]
    if not new:
        return
    session.add_all(
        GroupResolvedBy(group_id=group.id, release_id=release.id, linked_type=type_, linked_id=id_)
        for type_, id_ in new
    )
    target = targets[new[-1]]
    actor = _actor(unit, target)
    told = {"actor_name": actor.name if actor else None, "actor_email": actor.email if actor else None}
    resolution = session.get(GroupResolution, group.id)
    if resolution is None:
        resolution = GroupResolution(group_id=group.id)
        session.add(resolution)
    elif _is_in(resolution, release) and group.status == GroupStatus.RESOLVED:
        resolution.actor_name, resolution.actor_email = told["actor_name"], told["actor_email"]
        return
    resolution.version, resolution.date_added = release.version, unit.now
    resolution.type, resolution.status = ResolutionType.IN_RELEASE, ResolutionStatus.RESOLVED
    resolution.actor_name, resolution.actor_email = told["actor_name"], told["actor_email"]
    group.status = GroupStatus.RESOLVED
    group.resolved_at = unit.now
    inbox = session.get(GroupInbox, group.id)
    if inbox is not None:
        session.delete(inbox)
    session.add(
        GroupHistory(
            group_id=group.id,
            status=HistoryStatus.RESOLVED,
            version=release.version,
            date_added=unit.now,
            **told,
        )
    )
    data = {
        "version": release.version,
        "type": ResolutionType.IN_RELEASE.label,
        **_target_data(unit, target),
        "actor": actor_data(actor),
        "activityType": ActivityType.SET_RESOLVED_IN_RELEASE,
    }
    unit.tell_of_group("activity.group.resolved", f"{release.version}\n{new[-1]}", group, project, data)
    _request_status_syncs(unit, release, group, project)


def _request_status_syncs(unit: Unit, release: Release, group: Group, project: str) -> None:
    link, issue = GroupLink.__table__.c, ExternalIssue.__table__.c
    linked = (
        select(ExternalIssue)
        .join(GroupLink, issue.id == link.linked_id)
        .where(link.group_id == group.id, link.linked_type == LinkedType.ISSUE)
        .order_by(issue.provider, issue.key)
    )
    for row in unit.session.scalars(linked):
        data = {
            "version": release.version,
            "provider": row.provider,
            "key": row.key,
            "url": row.url,
            "status": GroupStatus.RESOLVED.label,
        }
        discriminator = f"{release.version}\n{row.provider}\n{row.key}"
        unit.tell_of_group("activity.group.status-sync-requested", discriminator, group, project, data)


def _is_in(resolution: GroupResolution, release: Release) -> bool:
    return (resolution.version, resolution.type, resolution.status) == (
        release.version,
        ResolutionType.IN_RELEASE,
        ResolutionStatus.RESOLVED,
    )


def _actor(unit: Unit, target: Target) -> Actor | None:
    if target.author_id is None:
        return None
    # The authors of the list are in the session's identity map: no statement.
    author = unit.session.get_one(CommitAuthor, target.author_id)
    return Actor(author.name, author.email)


def _target_data(unit: Unit, target: Target) -> dict[str, Any]:
    repository = unit.session.get_one(Repository, target.repository_id)
    if isinstance(target, Commit):
        return {"commit": {"repository": repository.name, "id": target.key}}
    return {"pullRequest": {"repository": repository.name, "number": target.key}}
