"""Handlers: what each event does. Planning is pure; applying changes the working set in memory only.

One module an event type. ``plan`` is the way in: it turns a typed event into a plan that first names the rows it
reads (``need``) and then changes them (``apply``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from consumer.contracts.events import (
    AnyEvent,
    CommitsPushed,
    GroupUpdated,
    OrganizationUpdated,
    ProjectUpdated,
    PullRequestMerged,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
)
from consumer.handlers.commit_log import plan_commits
from consumer.handlers.commits_pushed import CommitsPushedPlan
from consumer.handlers.group_updated import GroupUpdatedPlan
from consumer.handlers.organization_updated import OrganizationUpdatedPlan
from consumer.handlers.project_updated import ProjectUpdatedPlan
from consumer.handlers.pull_request_merged import plan_pull_request
from consumer.handlers.release_created import ReleaseCreatedPlan
from consumer.handlers.release_deleted import ReleaseDeletedPlan
from consumer.handlers.release_deployed import ReleaseDeployedPlan
from consumer.handlers.release_updated import ReleaseUpdatedPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.store.needs import Needs
    from consumer.store.working_set import WorkingSet


class Plan(Protocol):
    """An event with what can be told about it without the database."""

    @property
    def event(self) -> AnyEvent:
        """The event."""

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log, for which the release must be locked (SEMANTICS 4.3)."""

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set, or raise ``EventError`` with nothing changed."""


def plan(event: AnyEvent, ignore_markers: Sequence[str]) -> Plan:  # noqa: PLR0911  # one an event type
    """Plan an event.

    Args:
        event: decoded and valid.
        ignore_markers: a commit whose message contains one is dropped (SEMANTICS section 4).
    """
    match event:
        case ReleaseCreated():
            # An empty list leaves the log alone (SEMANTICS section 4).
            commits = plan_commits(event.commits, "release", ignore_markers) if event.commits else None
            return ReleaseCreatedPlan(event, commits)
        case CommitsPushed():
            # An empty list that replaces repositories names none.
            leaves_log_alone = not event.commits and event.replace == "repositories"
            commits = None if leaves_log_alone else plan_commits(event.commits, event.replace, ignore_markers)
            return CommitsPushedPlan(event, commits)
        case ReleaseUpdated():
            return ReleaseUpdatedPlan(event)
        case ReleaseDeployed():
            return ReleaseDeployedPlan(event)
        case ReleaseDeleted():
            return ReleaseDeletedPlan(event)
        case OrganizationUpdated():
            return OrganizationUpdatedPlan(event)
        case ProjectUpdated():
            return ProjectUpdatedPlan(event)
        case GroupUpdated():
            return GroupUpdatedPlan(event)
        case PullRequestMerged():
            return plan_pull_request(event)
