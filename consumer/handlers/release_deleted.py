"""``release-deleted``: a release goes with its log, heads and projects; refused while a group began in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.errors import EventError, Violation
from consumer.handlers.facts import Recorder

if TYPE_CHECKING:
    from consumer.contracts.events import ReleaseDeleted
    from consumer.store.needs import Needs
    from consumer.store.rows import Release
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class ReleaseDeletedPlan:
    """A planned ``release-deleted``."""

    event: ReleaseDeleted

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        event = self.event
        needs.release(event.organization, event.version, [])
        needs.deletions.add((event.organization, event.version))
        needs.deletion_count += 1

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; a release that is gone already changes nothing.

        Commits, authors, repositories and environments stay. Groups that were resolved in the release stay
        resolved, but in no release.

        Raises:
            EventError: a group's first release is this one; nothing was changed.
        """
        event = self.event
        release = rows.find_release(event.key)
        if release is None:
            return
        groups = rows.groups_of(release.organization)
        first = sorted(group.short_id for group in groups if group.first_release == release.version)
        if first:
            message = f"is the first release of {', '.join(first)} and cannot be removed"
            reason = "release-in-use"
            raise EventError(reason, [Violation("$.data.version", message)])
        _withdraw(rows, release)
        rows.delete_release(release)
        Recorder(rows, event).release_deleted(release)


def _withdraw(rows: WorkingSet, release: Release) -> None:
    """Resolutions go with their release, and with them what resolved the groups in it."""
    for group in rows.groups_of(release.organization):
        resolved_by = {by for by in group.resolved_by if by[0] == release.id}
        group.resolved_by -= resolved_by
        if group.resolution is not None and group.resolution.version == release.version:
            group.resolution = None
            group.changed = True
