"""``group-updated``: create or update a group; a field that is absent changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.codes import (
    GroupStatus,
    HistoryStatus,
    InboxReason,
    LinkedType,
    Relationship,
    ResolutionStatus,
    ResolutionType,
)
from consumer.contracts.events import Absent, Actor, ExternalIssueData, GroupUpdated
from consumer.handlers.facts import Recorder
from consumer.handlers.resolution import resolve_late, set_resolved, set_unresolved, settle
from consumer.store.rows import Group, HistoryEntry, Resolution

if TYPE_CHECKING:
    from consumer.store.needs import Needs
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class GroupUpdatedPlan:
    """A planned ``group-updated``."""

    event: GroupUpdated

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        event = self.event
        organization = event.organization
        needs.organization(organization, catalog=True)
        needs.projects.add((organization, event.project))
        needs.groups.add((organization, event.short_id))
        needs.late_groups.add((organization, event.short_id))
        projects, versions = needs.successors.setdefault((organization, event.short_id), (set(), set()))
        projects.add(event.project)
        if event.resolution is not None:
            needs.attachments.setdefault((organization, event.resolution.release), set())
            versions.add(event.resolution.release)
        issues = event.external_issues or ()
        needs.external_issues.update((organization, issue.provider, issue.key) for issue in issues)
        needs.links += len(issues)

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set."""
        event = self.event
        recorder = Recorder(rows, event)
        organization = rows.organization(event.organization)
        project = rows.project(organization, event.project)
        group, created = rows.group(organization, project, event.short_id)
        moved = group.project.id != project.id
        if moved:
            group.project = project
            group.changed = True
        _describe(group, event)
        if event.external_issues is not None:
            _link_external_issues(rows, group, event.external_issues)
        if not isinstance(event.inbox, Absent):
            _change_inbox(rows, recorder, group, event.inbox, event.actor)
        _change_status(rows, recorder, group, event, created=created)
        if moved:
            _settle_at_once(rows, recorder, group)
        if created:
            for target in sorted(rows.referrers.get((organization.id, group.short_id), ())):
                rows.link(group, target, Relationship.RESOLVES)
        if created or moved:
            targets = [target for target in group.links if target[0] is not LinkedType.ISSUE]
            resolve_late(rows, recorder, targets, group)


def _describe(group: Group, event: GroupUpdated) -> None:
    for field, value in (("title", event.title), ("first_release", event.first_release)):
        if value is not None and getattr(group, field) != value:
            setattr(group, field, value)
            group.changed = True


def _link_external_issues(rows: WorkingSet, group: Group, issues: list[ExternalIssueData]) -> None:
    """The list is the whole of it: links to issues that it does not name go."""
    wanted = []
    for data in issues:
        issue = rows.external_issue(group.organization, data.provider, data.key)
        if data.url is not None and issue.url != data.url:
            issue.url = data.url
            issue.changed = True
        wanted.append((LinkedType.ISSUE, issue.id))
    for target in [target for target in group.links if target[0] is LinkedType.ISSUE and target not in wanted]:
        rows.unlink(group, target)
    for target in wanted:
        rows.link(group, target, Relationship.REFERENCES)


def _change_inbox(rows: WorkingSet, recorder: Recorder, group: Group, reason: str | None, actor: Actor | None) -> None:
    """Add to the inbox (the first reason stays) or, for ``None``, mark as reviewed (SEMANTICS 5.5)."""
    if reason is not None:
        if group.inbox is None:
            group.inbox = InboxReason[reason.upper()]
            group.changed = True
        return
    if group.inbox is None:
        return
    group.inbox = None
    group.changed = True
    if actor is not None:
        rows.history.append(HistoryEntry(group, HistoryStatus.REVIEWED, None, actor, rows.tick()))
        recorder.group_reviewed(group, actor)


def _change_status(rows: WorkingSet, recorder: Recorder, group: Group, event: GroupUpdated, *, created: bool) -> None:
    if event.status == "unresolved":
        if group.status is GroupStatus.RESOLVED:
            version = group.resolution.version if group.resolution else None
            set_unresolved(rows, group, event.actor)
            recorder.group_unresolved(group, version, event.actor)
        elif group.status is GroupStatus.IGNORED:
            group.status = GroupStatus.UNRESOLVED
            group.changed = True
    elif event.status == "ignored":
        if group.status is not GroupStatus.IGNORED or group.inbox is not None:
            _ignore(rows, group, event.actor)
    elif event.status == "resolved" or event.resolution is not None:
        _resolve(rows, recorder, group, event, created=created)


def _ignore(rows: WorkingSet, group: Group, actor: Actor | None) -> None:
    group.status = GroupStatus.IGNORED
    group.resolved_at = None
    group.resolution = None
    group.inbox = None
    group.changed = True
    rows.history.append(HistoryEntry(group, HistoryStatus.IGNORED, None, actor, rows.tick()))


def _resolve(rows: WorkingSet, recorder: Recorder, group: Group, event: GroupUpdated, *, created: bool) -> None:
    """Resolve by an event: in the release it names (pending for a next or upcoming one), or in none."""
    before = group.resolution
    resolution = before
    if event.resolution is not None:
        type_ = ResolutionType[event.resolution.type.upper()]
        pending = type_ is not ResolutionType.IN_RELEASE
        release = rows.releases.get((group.organization.id, event.resolution.release))
        resolution = Resolution(
            event.resolution.release,
            release.id if release else None,
            type_,
            ResolutionStatus.PENDING if pending else ResolutionStatus.RESOLVED,
            event.actor,
            rows.tick(),
            release.date_added if release else None,
        )
        if before is not None and _comes_to(rows, group, resolution, before):
            if event.actor is not None and before.actor != event.actor:
                before.actor = event.actor
                group.changed = True
            resolution = before
    if group.status is GroupStatus.RESOLVED and resolution is before:
        if group.inbox is not None:
            group.inbox = None
            group.changed = True
        return
    set_resolved(rows, group, resolution, event.actor)
    if not created:
        recorder.group_resolved(group, event.actor)
    _settle_at_once(rows, recorder, group)


def _settle_at_once(rows: WorkingSet, recorder: Recorder, group: Group) -> None:
    """The next release may be there already: events of releases and of groups come on different topics."""
    pending = group.resolution
    next_ = _next_release(rows, group, pending) if pending is not None else None
    if next_ is not None:
        release_id, version = next_
        settle(rows, recorder, group, version, release_id)


def _next_release(rows: WorkingSet, group: Group, resolution: Resolution) -> tuple[int, str] | None:
    """The id and version of the release that settles a pending resolution, if it is there already."""
    if resolution.status is not ResolutionStatus.PENDING:
        return None
    return rows.next_releases.get((group.organization.id, group.project.slug, resolution.version))


def _comes_to(rows: WorkingSet, group: Group, said: Resolution, known: Resolution) -> bool:
    """Whether what an event says is what is known, or would be settled as just that: then it changes nothing."""
    if (said.version, said.type, said.status) == (known.version, known.type, known.status):
        return True
    next_ = _next_release(rows, group, said)
    return next_ is not None and known.type is ResolutionType.IN_RELEASE and known.version == next_[1]
