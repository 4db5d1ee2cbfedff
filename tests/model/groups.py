"""Links between messages and groups, and what they resolve (SEMANTICS section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.contracts.events import Absent, Actor
from tests.model.pending import next_release, settle_in_known
from tests.model.references import referenced_short_ids
from tests.model.state import Group, Resolution

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from consumer.contracts.events import GroupStatus, GroupUpdated
    from tests.model.activities import Announcer
    from tests.model.state import LinkSource, Organization, Release

LostLink = tuple[Group, "LinkSource"]


def relink(organization: Organization, sources: Iterable[LinkSource]) -> list[LostLink]:
    """Bring the links of commits or pull requests in line with their texts; return those that went (section 5.1)."""
    lost = []
    for source in sources:
        short_ids = referenced_short_ids(source.texts)
        for group in organization.groups_by_short_id():
            if group.short_id in short_ids:
                _link(group, source)
            elif source in group.links:
                group.links.remove(source)
                lost.append((group, source))
    return lost


def link_new_group(organization: Organization, group: Group) -> None:
    """Turn the references that were waiting for a group into links (section 2: handlers commute across topics)."""
    for source in organization.link_sources():
        if group.short_id in referenced_short_ids(source.texts):
            _link(group, source)


def _link(group: Group, source: LinkSource) -> None:
    if source not in group.links:
        group.links.append(source)


def reopen_groups(organization: Organization, lost: list[LostLink], announcer: Announcer) -> None:
    """Re-open groups whose resolution rested on links that went (section 5.1).

    It rested on them if they are recorded for the release the group is resolved in, and no link that is left is.
    The last of them is named as the cause.
    """
    for group in organization.groups_by_short_id():
        resolution = group.resolution
        if resolution is None or not group.is_resolved_in(resolution.release):
            continue
        causes = [
            source for other, source in lost if other is group and (resolution.release, source) in group.resolved_by
        ]
        upheld = any((resolution.release, source) in group.resolved_by for source in group.links)
        if causes and not upheld:
            _withdraw_resolution(group, "unresolved")
            announcer.group_unresolved(group, resolution.release, source=causes[-1])


def resolve_groups(
    organization: Organization,
    release: Release,
    announcer: Announcer,
    now: datetime,
    late: Group | LinkSource | None = None,
) -> None:
    """Resolve the groups that the release ships a fix for, each (group, release, link) once (sections 5.2 to 5.4).

    Only groups of the release's projects. Of several new links the last one tells who did it: commits in order of
    link creation, then pull requests. A late group or pull request is looked for alone: the rest of the log was
    evaluated when it was set.
    """
    for group in organization.groups_by_short_id():
        if group.project not in release.projects or (isinstance(late, Group) and group is not late):
            continue
        sources: list[LinkSource] = [*group.linked_commits(), *group.linked_pull_requests()]
        new = [
            source
            for source in sources
            if (late in {None, group, source})
            and release.ships(source)
            and (release.version, source) not in group.resolved_by
        ]
        if new:
            first = not any(version == release.version for version, _ in group.resolved_by)
            group.resolved_by.update((release.version, source) for source in new)
            _resolve(group, release, new[-1], announcer, now, first=first)


def _resolve(
    group: Group, release: Release, source: LinkSource, announcer: Announcer, now: datetime, *, first: bool
) -> None:
    """Told is the first link that resolves it in the release, whatever else did before; a later one if it must."""
    known = group.is_resolved_in(release.version)
    actor = Actor(source.author.name, source.author.email) if source.author else None
    group.resolution = Resolution(release.version, "in_release", actor)
    if not known:
        group.status = "resolved"
        group.resolved_at = now
        group.inbox = None
    elif not first:
        return
    announcer.group_resolved(group, actor, source)
    for _, issue in sorted(group.external_issues.items()):
        announcer.status_sync_requested(group, release.version, issue)


def update_group(organization: Organization, event: GroupUpdated, announcer: Announcer, now: datetime) -> Group | None:
    """Create or update a group; return it if its links are to be evaluated: it is new or changed its project."""
    group = organization.groups.get(event.short_id)
    created = group is None
    if group is None:
        group = organization.groups[event.short_id] = Group(event.short_id, event.project)
        link_new_group(organization, group)
    moved = group.project != event.project
    group.project = organization.project(event.project).slug
    _update_details(group, event)
    _update_inbox(group, event, announcer)
    before = group.resolution
    _update_status(organization, group, event, announcer if not created else None, now)
    if moved or (group.resolution and not group.resolution.same_as(before)):
        settle_in_known(organization, group, announcer)
    return group if created or moved else None


def _update_details(group: Group, event: GroupUpdated) -> None:
    if event.title is not None:
        group.title = event.title
    if event.first_release is not None:
        group.first_release = event.first_release
    if event.external_issues is not None:
        group.external_issues = {(issue.provider, issue.key): issue for issue in event.external_issues}


def _update_inbox(group: Group, event: GroupUpdated, announcer: Announcer) -> None:
    """The first reason stays; taking a group out with an actor means it was reviewed (section 5.5)."""
    if isinstance(event.inbox, Absent):
        return
    if event.inbox is not None:
        group.inbox = group.inbox or event.inbox
    elif group.inbox is not None:
        group.inbox = None
        if event.actor:
            announcer.group_reviewed(group, event.actor)


def _update_status(
    organization: Organization, group: Group, event: GroupUpdated, announcer: Announcer | None, now: datetime
) -> None:
    """Apply ``status`` and ``resolution``; a resolution alone means resolved. No announcer: the group is new."""
    status = event.status or ("resolved" if event.resolution else None)
    if status == "resolved":
        _resolve_by_hand(organization, group, event, announcer, now)
    elif status == "unresolved":
        was_resolved, resolution = group.status == "resolved", group.resolution
        _withdraw_resolution(group, "unresolved")
        if was_resolved and announcer:
            announcer.group_unresolved(group, resolution.release if resolution else None, event.actor)
    elif status == "ignored":
        _withdraw_resolution(group, "ignored")
        group.inbox = None


def _resolve_by_hand(
    organization: Organization, group: Group, event: GroupUpdated, announcer: Announcer | None, now: datetime
) -> None:
    """What is said again changes nothing, nor does what would be settled as the group is resolved already."""
    was_resolved, previous = group.status == "resolved", group.resolution
    if event.resolution:
        said = Resolution(event.resolution.release, event.resolution.type, event.actor)
        settles_in = next_release(organization, group, said.release) if said.status == "pending" else None
        if settles_in and group.is_resolved_in(settles_in.version):
            said = Resolution(settles_in.version, "in_release", event.actor)
        if previous and said.same_as(previous) and not event.actor:
            said = previous  # who is not named is not forgotten
        group.resolution = said
    group.status = "resolved"
    group.inbox = None
    changed = group.resolution is not None and not group.resolution.same_as(previous)
    if was_resolved and not changed:
        return
    group.resolved_at = now
    if announcer:
        announcer.group_resolved(group, event.actor, source=None)


def _withdraw_resolution(group: Group, status: GroupStatus) -> None:
    group.status = status
    group.resolution = None
    group.resolved_at = None
