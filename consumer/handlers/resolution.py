"""Group resolution: which groups a release resolves, and when one is unresolved again (SEMANTICS section 5)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consumer.codes import (
    GroupStatus,
    HistoryStatus,
    LinkedType,
    Relationship,
    ResolutionStatus,
    ResolutionType,
)
from consumer.store.rows import Commit, Group, HistoryEntry, Link, LinkTarget, Project, Release, Resolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.contracts.events import Actor
    from consumer.handlers.facts import Recorder
    from consumer.store.working_set import WorkingSet

Candidates = dict[Group, dict[LinkTarget, Link]]
"""Groups of a release with the links that resolve them in it."""


def resolve_in_release(rows: WorkingSet, recorder: Recorder, release: Release) -> None:
    """Resolve the groups that commits of the log, or pull requests merged by them, are linked to."""
    if not rows.linked:
        return
    candidates: Candidates = defaultdict(dict)
    for commit, _ in release.log:
        _collect(rows, commit, candidates)
    _resolve(rows, recorder, release, candidates)


def resolve_late(rows: WorkingSet, recorder: Recorder, targets: Iterable[LinkTarget], group: Group | None) -> None:
    """Resolve what the logs already hold: the group, or its link, came after the release.

    Args:
        rows: holds the logs that the targets are in.
        recorder: records what happens.
        targets: the commits and pull requests to look for in logs.
        group: the only group to resolve; all that are linked to the targets where ``None``.
    """
    found: dict[Release, Candidates] = {}
    for target in targets:
        for commit in _commits(rows, target):
            for release in rows.releases_of_commit.get(commit.id, ()):
                candidates = found.setdefault(release, defaultdict(dict))
                for linked, link in rows.groups_linked(target):
                    if group is None or linked is group:
                        candidates[linked][target] = link
    for release in sorted(found, key=lambda release: (release.log_set_at is not None, release.log_set_at, release.id)):
        _resolve(rows, recorder, release, found[release])


def unresolve(rows: WorkingSet, recorder: Recorder, unlinked: Iterable[tuple[Group, LinkTarget]]) -> None:
    """Groups whose link ended are unresolved again, if it was that link that had resolved them (SEMANTICS 5.1)."""
    causes: dict[Group, LinkTarget] = {}
    for group, target in unlinked:
        resolution = group.resolution
        if group.status is GroupStatus.RESOLVED and resolution is not None and _has_resolved(group, target):
            causes[group] = target
    for group in sorted(causes, key=lambda group: group.short_id):
        if any(_has_resolved(group, target) for target in group.links):
            continue  # another link still says so
        version = group.resolution.version if group.resolution else None
        set_unresolved(rows, group, None)
        recorder.group_unresolved(group, version, None, causes[group])


def _has_resolved(group: Group, target: LinkTarget) -> bool:
    """Whether this link is one of those that resolved the group in the release it is resolved in."""
    resolution = group.resolution
    return (
        resolution is not None
        and resolution.type is ResolutionType.IN_RELEASE
        and resolution.release_id is not None
        and (resolution.release_id, *target) in group.resolved_by
    )


def settle_pending(rows: WorkingSet, recorder: Recorder, release: Release, attached: Sequence[Project]) -> None:
    """Groups that were resolved in the next release of these projects are resolved in this one, if it is newer."""
    if not attached:
        return
    ids = {project.id for project in attached}
    waiting = [
        (group, group.resolution)
        for group in rows.groups_of(release.organization)
        if group.resolution and group.resolution.status is ResolutionStatus.PENDING and group.project.id in ids
    ]
    for group, pending in sorted(waiting, key=lambda pair: pair[0].short_id):
        named = rows.releases.get((release.organization.id, pending.version))
        date = named.date_added if named else pending.release_date
        newer = date is None or date < release.date_added
        if newer and pending.version != release.version:
            settle(rows, recorder, group, release.version, release.id)


def settle(rows: WorkingSet, recorder: Recorder, group: Group, version: str, release_id: int) -> None:
    """A pending resolution found its release; who resolved the group stays who it was."""
    actor = group.resolution.actor if group.resolution else None
    group.resolution = Resolution(
        version, release_id, ResolutionType.IN_RELEASE, ResolutionStatus.RESOLVED, actor, rows.tick()
    )
    group.changed = True
    rows.history.append(HistoryEntry(group, HistoryStatus.RESOLVED, version, actor, rows.tick()))
    recorder.group_resolved(group, actor)


def set_unresolved(rows: WorkingSet, group: Group, actor: Actor | None) -> None:
    """Make a group unresolved, with a line in its history."""
    version = group.resolution.version if group.resolution else None
    group.status = GroupStatus.UNRESOLVED
    group.resolved_at = None
    group.resolution = None
    group.changed = True
    rows.history.append(HistoryEntry(group, HistoryStatus.UNRESOLVED, version, actor, rows.tick()))


def set_resolved(rows: WorkingSet, group: Group, resolution: Resolution | None, actor: Actor | None) -> None:
    """Make a group resolved: out of the inbox, with a line in its history (SEMANTICS 5.3)."""
    group.status = GroupStatus.RESOLVED
    group.resolved_at = rows.tick()
    group.resolution = resolution
    group.inbox = None
    group.changed = True
    version = resolution.version if resolution else None
    rows.history.append(HistoryEntry(group, HistoryStatus.RESOLVED, version, actor, group.resolved_at))


def _commits(rows: WorkingSet, target: LinkTarget) -> list[Commit]:
    """The commits that put a target into logs: itself, or all that carry the merge commit's id (SEMANTICS 5.2)."""
    linked_type, linked_id = target
    if linked_type is LinkedType.COMMIT:
        commit = rows.commits_by_id.get(linked_id)
        return [commit] if commit else []
    pull_request = rows.pull_requests_by_id[linked_id]
    return rows.commits_by_key.get((pull_request.organization_id, pull_request.merge_commit_sha), [])


def _collect(rows: WorkingSet, commit: Commit, candidates: Candidates) -> None:
    targets: list[LinkTarget] = [(LinkedType.COMMIT, commit.id)]
    merged = rows.pull_requests_by_merge.get((commit.repository.organization_id, commit.key), ())
    targets += [(LinkedType.PULL_REQUEST, pull_request.id) for pull_request in merged]
    for target in targets:
        for group, link in rows.groups_linked(target):
            candidates[group][target] = link


def _resolve(rows: WorkingSet, recorder: Recorder, release: Release, candidates: Candidates) -> None:
    for group in sorted(candidates, key=lambda group: group.short_id):
        if group.project.id not in release.projects:
            continue
        new = [
            (target[0], link.id, target)
            for target, link in candidates[group].items()
            if link.relationship is Relationship.RESOLVES and (release.id, *target) not in group.resolved_by
        ]
        if new:
            _resolve_group(rows, recorder, release, group, [target for *_, target in sorted(new)])


def _resolve_group(
    rows: WorkingSet, recorder: Recorder, release: Release, group: Group, targets: list[LinkTarget]
) -> None:
    """Resolve one group by links that have not resolved it in this release yet; the last one names the actor.

    Where an event, or a release that settled what was pending, has resolved it in this release already, it is told now
    what resolved it; where another link has, only the actor changes.
    """
    is_first = all(release_id != release.id for release_id, *_ in group.resolved_by)
    for linked_type, linked_id in targets:
        group.resolved_by.add((release.id, linked_type, linked_id))
        rows.resolved_by_added.append((group.id, release.id, linked_type, linked_id))
    actor = _actor(rows, targets[-1])
    before = group.resolution
    if group.status is GroupStatus.RESOLVED and before is not None and _is_in(before, release):
        before.actor, before.release_id = actor, release.id  # it may have been set before the release was known
        group.changed = True
        if not is_first:
            return
        rows.history.append(HistoryEntry(group, HistoryStatus.RESOLVED, release.version, actor, rows.tick()))
    else:
        resolution = Resolution(
            release.version, release.id, ResolutionType.IN_RELEASE, ResolutionStatus.RESOLVED, actor, rows.tick()
        )
        set_resolved(rows, group, resolution, actor)
    recorder.group_resolved(group, actor, targets[-1])
    issues = [
        rows.external_issues_by_id[linked_id]
        for linked_type, linked_id in group.links
        if linked_type is LinkedType.ISSUE
    ]
    for issue in sorted(issues, key=lambda issue: (issue.provider, issue.key)):
        recorder.status_sync_requested(group, release.version, issue)


def _is_in(resolution: Resolution, release: Release) -> bool:
    return (
        resolution.version == release.version
        and resolution.type is ResolutionType.IN_RELEASE
        and resolution.status is ResolutionStatus.RESOLVED
    )


def _actor(rows: WorkingSet, target: LinkTarget) -> Actor | None:
    linked_type, linked_id = target
    author = (
        rows.commits_by_id[linked_id].author
        if linked_type is LinkedType.COMMIT
        else rows.pull_requests_by_id[linked_id].author
    )
    return author.actor if author else None
