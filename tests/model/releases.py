"""The life of a release but for its log: created, attached, updated, deployed, deleted (SEMANTICS sections 2 and 7)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from consumer.contracts.events import CommitsPushed
from tests.model.state import Deploy, Release
from tests.model.views import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.contracts.events import ReleaseCreated, ReleaseDeployed, ReleaseUpdated
    from tests.model.activities import Announcer
    from tests.model.state import Organization

UPDATABLE = {"ref": "ref", "url": "url", "dateReleased": "date_released", "status": "status"}
"""What ``release-updated`` may change: the field of events and the attribute of releases."""


def new_release(event: ReleaseCreated | CommitsPushed) -> Release:
    """Return the release that an event creates; a push tells nothing of it but the version."""
    if isinstance(event, CommitsPushed):
        return Release(event.version)
    return Release(
        event.version,
        status=event.status or "open",
        ref=event.ref,
        url=event.url,
        owner=event.owner,
        date_started=event.date_started,
        date_released=event.date_released,
    )


def attach_projects(organization: Organization, release: Release, slugs: Sequence[str]) -> list[str]:
    """Attach projects, creating unknown ones, and return the newly attached in the event's order."""
    attached = [slug for slug in dict.fromkeys(slugs) if slug not in release.projects]
    for slug in attached:
        release.projects.append(organization.project(slug).slug)
    return attached


def announce_projects(release: Release, attached: list[str], announcer: Announcer, *, created: bool) -> None:
    """Announce a creation per project, or once without one; then, if the release is out, that it reached each."""
    for project in attached:
        announcer.release_created(release, project, created=created)
    if created and not attached:
        announcer.release_created(release, None, created=True)
    for project in attached:
        announcer.release_released(release, project)


def change_status(release: Release, event: ReleaseCreated, announcer: Announcer) -> None:
    """An existing release takes nothing but a status from ``release-created`` (section 6)."""
    if event.status is not None and event.status != release.status:
        previous, release.status = release.status, event.status
        announcer.release_updated(release, {"status": {"from": previous, "to": release.status}})


def update_release(release: Release, event: ReleaseUpdated, announcer: Announcer) -> None:
    """Change what is given and differs; the first ``dateReleased`` means that the release is out."""
    was_out = release.date_released is not None
    changes = {}
    for field, attribute in UPDATABLE.items():
        old, new = getattr(release, attribute), getattr(event, attribute)
        if new is not None and new != old:
            setattr(release, attribute, new)
            changes[field] = {"from": _json(old), "to": _json(new)}
    if not was_out:
        for project in sorted(release.projects):
            announcer.release_released(release, project)
    if changes:
        announcer.release_updated(release, changes)


def deploy_release(
    organization: Organization, release: Release, event: ReleaseDeployed, announcer: Announcer, now: datetime
) -> None:
    """Remember a deploy, where the release was seen by it, and tell its projects; the same one once a project.

    Of one that is known, only projects that the event names can be new.
    """
    deploy = Deploy(
        event.environment, event.name, event.url, event.date_started, event.date_finished, event.date_finished or now
    )
    known = next((other for other in release.deploys if deploy.same_as(other)), None)
    projects = dict.fromkeys(event.projects or sorted(release.projects))
    if known:
        deploy = known
        projects = dict.fromkeys(project for project in event.projects or () if project not in known.projects)
    else:
        organization.environments.add(deploy.environment)
        release.deploys.append(deploy)
    for project in projects:
        deploy.projects.add(project)
        release.seen_in.add((project, deploy.environment))
        announcer.release_deployed(release, project, deploy)


def delete_release(organization: Organization, version: str, announcer: Announcer) -> None:
    """Remove a release and what groups know of it; what it was made of stays."""
    release = organization.releases.pop(version)
    for group in organization.groups.values():
        group.forget_release(version)
    announcer.release_deleted(release)


def _json(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value
