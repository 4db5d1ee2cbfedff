"""``commits-pushed``: set the commit log of a release and resolve groups (SEMANTICS sections 4 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.handlers.facts import Recorder
from consumer.handlers.releases import (
    apply_commits,
    attach_projects,
    check_refs,
    get_release,
    need_release,
    record_attached,
)

if TYPE_CHECKING:
    from consumer.contracts.events import CommitsPushed
    from consumer.handlers.commit_log import CommitList
    from consumer.store.needs import Needs
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class CommitsPushedPlan:
    """A planned ``commits-pushed``; ``commits`` is ``None`` where it leaves the log alone."""

    event: CommitsPushed
    commits: CommitList | None

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return self.commits is not None

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        need_release(needs, self.event, self.event.projects, self.commits, self.event.refs)

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; creates the release where it is missing.

        Raises:
            InvalidRepository: ``refs`` name unknown repositories; nothing was changed.
        """
        event = self.event
        check_refs(rows, event, self.commits, event.refs)
        recorder = Recorder(rows, event)
        release, created = get_release(rows, event)
        attached = attach_projects(rows, release, event.projects)
        record_attached(recorder, release, attached, created=created)
        apply_commits(rows, recorder, release, self.commits, event.refs, attached=attached)
