"""What goes out, with the exact content of ``data`` (SEMANTICS section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from consumer.codes import ActivityType
from tests.model.state import Commit
from tests.model.views import actor_json, authors_json, deploy_json, heads_json, last_commit_json, rfc3339

if TYPE_CHECKING:
    from consumer.contracts.events import Actor, ExternalIssueData
    from tests.model.state import Deploy, Group, LinkSource, Organization, Release


class Cause(NamedTuple):
    """The CloudEvents identity of the event that caused an activity."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One announced fact; ``key`` is the version key, ``organization:SHORT-ID`` or the organization."""

    type: str
    key: str
    data: dict[str, Any]
    cause: Cause


class Announcer:
    """Announces what one event did, in order, to one organization."""

    def __init__(self, organization: Organization, cause: Cause, announced: list[Activity]) -> None:
        self._organization = organization.slug
        self._cause = cause
        self._announced = announced

    def release_created(self, release: Release, project: str | None, *, created: bool) -> None:
        """Tell of a newly attached project, or of a release that was created without one."""
        self._of_release(
            "activity.release.created",
            release,
            project=project,
            created=created,
            ref=release.ref,
            url=release.url,
            dateReleased=rfc3339(release.date_released) if release.date_released else None,
        )

    def release_released(self, release: Release, project: str) -> None:
        """Tell that a release which is out has reached a project."""
        if release.date_released:
            self._of_release(
                "activity.release.released",
                release,
                project=project,
                dateReleased=rfc3339(release.date_released),
                activityType=ActivityType.RELEASE.value,
            )

    def release_updated(self, release: Release, changes: dict[str, Any]) -> None:
        """Tell what of a release is different now, by field."""
        self._of_release("activity.release.updated", release, changes=changes)

    def release_deployed(self, release: Release, project: str, deploy: Deploy) -> None:
        """Tell a project that a release of it went to an environment."""
        self._of_release(
            "activity.release.deployed",
            release,
            project=project,
            activityType=ActivityType.DEPLOY.value,
            **deploy_json(deploy),
        )

    def release_deleted(self, release: Release) -> None:
        """Tell that a release is gone."""
        self._of_release("activity.release.deleted", release)

    def commits_set(self, release: Release) -> None:
        """Tell what the commit log and the heads of a release are now."""
        self._of_release(
            "activity.release.commits-set",
            release,
            commitCount=len(release.log),
            authors=authors_json(release),
            lastCommit=last_commit_json(release),
            headCommits=heads_json(release),
        )

    def group_resolved(self, group: Group, actor: Actor | None, source: LinkSource | None) -> None:
        """Tell that a group was resolved, in which release, and by which link if one did it."""
        resolution = group.resolution
        number = ActivityType.SET_RESOLVED_IN_RELEASE if resolution else ActivityType.SET_RESOLVED
        self._of_group(
            "activity.group.resolved",
            group,
            version=resolution.release if resolution else None,
            type=resolution.type if resolution else None,
            actor=actor_json(actor),
            activityType=number.value,
            **_source_json(source),
        )

    def group_unresolved(
        self, group: Group, version: str | None, actor: Actor | None = None, source: LinkSource | None = None
    ) -> None:
        """Tell that a group was re-opened, where it had been resolved, and which lost link did it if one did."""
        self._of_group(
            "activity.group.unresolved",
            group,
            version=version,
            actor=actor_json(actor),
            activityType=ActivityType.SET_UNRESOLVED.value,
            **_source_json(source),
        )

    def group_reviewed(self, group: Group, actor: Actor) -> None:
        """Tell that someone looked at a group and took it out of the inbox (section 5.5)."""
        self._of_group(
            "activity.group.reviewed", group, actor=actor_json(actor), activityType=ActivityType.MARK_REVIEWED.value
        )

    def status_sync_requested(self, group: Group, version: str, issue: ExternalIssueData) -> None:
        """Ask for the status of a linked external issue to follow (section 5.3)."""
        self._of_group(
            "activity.group.status-sync-requested",
            group,
            version=version,
            provider=issue.provider,
            key=issue.key,
            url=issue.url,
            status="resolved",
        )

    def organization_updated(self, changes: dict[str, str], actor: Actor | None) -> None:
        """Tell what of the organization is different now, by API field."""
        data = {"organization": self._organization, "changes": changes, "actor": actor_json(actor)}
        self._announced.append(Activity("activity.organization.updated", self._organization, data, self._cause))

    def _of_release(self, activity_type: str, release: Release, **data: Any) -> None:
        common = {"organization": self._organization, "version": release.version}
        self._announce(activity_type, release.version, common | data)

    def _of_group(self, activity_type: str, group: Group, **data: Any) -> None:
        common = {"organization": self._organization, "project": group.project, "shortId": group.short_id}
        self._announce(activity_type, group.short_id, common | data)

    def _announce(self, activity_type: str, subject: str, data: dict[str, Any]) -> None:
        self._announced.append(Activity(activity_type, f"{self._organization}:{subject}", data, self._cause))


def _source_json(source: LinkSource | None) -> dict[str, dict[str, str]]:
    """Name the link that did it, if one did."""
    if source is None:
        return {}
    if isinstance(source, Commit):
        return {"commit": {"repository": source.repository, "id": source.id}}
    return {"pullRequest": {"repository": source.repository, "number": source.number}}
