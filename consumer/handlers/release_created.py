"""``release-created``: create or get a release, attach projects (seed flow ``post``, SEMANTICS section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.codes import ReleaseStatus
from consumer.handlers.facts import Recorder
from consumer.handlers.releases import (
    apply_commits,
    attach_projects,
    change_status,
    check_refs,
    get_release,
    need_release,
    record_attached,
)

if TYPE_CHECKING:
    from consumer.contracts.events import ReleaseCreated
    from consumer.handlers.commit_log import CommitList
    from consumer.store.needs import Needs
    from consumer.store.rows import Release
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class ReleaseCreatedPlan:
    """A planned ``release-created``; ``commits`` is ``None`` where it leaves the log alone."""

    event: ReleaseCreated
    commits: CommitList | None

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return self.commits is not None

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        need_release(needs, self.event, self.event.projects, self.commits, self.event.refs)

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set.

        Raises:
            InvalidRepository: ``refs`` name unknown repositories; nothing was changed.
        """
        event = self.event
        check_refs(rows, event, self.commits, event.refs)
        recorder = Recorder(rows, event)
        release, created = get_release(rows, event)
        changes: dict[str, dict[str, str]] = {}
        if created:
            _describe(release, event)
        elif event.status is not None:
            # An existing release takes nothing but a new status; an archived one is opened again this way.
            changes = change_status(release, ReleaseStatus[event.status.upper()])
        attached = attach_projects(rows, release, event.projects)
        record_attached(recorder, release, attached, created=created)
        if changes:
            recorder.release_updated(release, changes)
        apply_commits(rows, recorder, release, self.commits, event.refs, attached=attached)


def _describe(release: Release, event: ReleaseCreated) -> None:
    release.ref = event.ref
    release.url = event.url
    release.owner = event.owner
    release.date_started = event.date_started
    release.date_released = event.date_released
    if event.status is not None:
        release.status = ReleaseStatus[event.status.upper()]
