"""``release-deployed``: a release went to an environment; feeds the environment filter of listings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.errors import EventError, Violation
from consumer.handlers.facts import Recorder
from consumer.handlers.releases import known_release

if TYPE_CHECKING:
    from consumer.contracts.events import ReleaseDeployed
    from consumer.store.needs import Needs
    from consumer.store.rows import Project, Release
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class ReleaseDeployedPlan:
    """A planned ``release-deployed``."""

    event: ReleaseDeployed

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        event = self.event
        needs.release(event.organization, event.version, [])
        needs.environments.add((event.organization, event.environment))
        needs.deploys.add((event.organization, event.version))
        needs.deploy_count += 1

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; the same deploy, told again, counts for the projects that are new to it.

        These must be named: told again of all projects of the release, it changes nothing, whatever was attached since.

        Raises:
            UnknownRelease: there is no such release; nothing was changed.
            EventError: ``projects`` names some that the release is not of; nothing was changed.
        """
        event = self.event
        release = known_release(rows, event)
        projects = self._projects(release)
        environment = rows.environment(release.organization, event.environment)
        deploy, is_new = rows.deploy(
            release,
            environment,
            name=event.name,
            url=event.url,
            date_started=event.date_started,
            date_finished=event.date_finished,
        )
        if not is_new:
            named = projects if event.projects is not None else []
            projects = [project for project in named if project.id not in deploy.project_ids]
        recorder = Recorder(rows, event)
        for project in projects:
            rows.see_in_environment(release, project, deploy)
            recorder.release_deployed(release, project, deploy)

    def _projects(self, release: Release) -> list[Project]:
        """The projects that the deploy is of: those named, else all of the release."""
        attached = {project.slug: project for project in release.projects_by_slug()}
        if self.event.projects is None:
            return list(attached.values())
        violations = [
            Violation(f"$.data.projects[{index}]", f"project {slug!r} is not a project of the release")
            for index, slug in enumerate(self.event.projects)
            if slug not in attached
        ]
        if violations:
            reason = "invalid-project"
            raise EventError(reason, violations)
        return [attached[slug] for slug in dict.fromkeys(self.event.projects)]
