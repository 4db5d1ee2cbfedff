"""``project-updated``: create or rename a project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.contracts.events import ProjectUpdated
    from consumer.store.needs import Needs
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class ProjectUpdatedPlan:
    """A planned ``project-updated``."""

    event: ProjectUpdated

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        needs.organization(self.event.organization, catalog=True)
        needs.projects.add((self.event.organization, self.event.project))

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; only given fields change."""
        event = self.event
        project = rows.project(rows.organization(event.organization), event.project)
        for field, value in (("name", event.name), ("platform", event.platform)):
            if value is not None and getattr(project, field) != value:
                setattr(project, field, value)
                project.changed = True
