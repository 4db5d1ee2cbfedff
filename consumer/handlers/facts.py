"""Facts: the activities that handlers record, with their data (SEMANTICS section 7).

The id of a fact is a UUIDv5 of what happened to what because of which event: applying the same event again names
the same fact.
"""

from __future__ import annotations

from hashlib import sha1
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumer.codes import ActivityType, LinkedType
from consumer.contracts.timestamps import format_timestamp
from consumer.store.working_set import Fact, WorkingSet

if TYPE_CHECKING:
    from consumer.contracts.events import Actor, Event
    from consumer.store.rows import Deploy, ExternalIssue, Group, LinkTarget, Organization, Project, Release

NAMESPACE = UUID("6f0a9c5e-2b6f-5a53-9d53-6a3f0c1e8b11")

# The two highest bits of the variant's digit are 10.
_VARIANT = str.maketrans("0123456789abcdef", "89ab" * 4)


class Recorder:
    """Records the facts that one event causes.

    Args:
        rows: where the facts are kept until the batch is written.
        event: the cause.
    """

    def __init__(self, rows: WorkingSet, event: Event) -> None:
        self._rows = rows
        self._event = event

    def release_created(self, release: Release, project: Project | None, *, created: bool) -> None:
        """A release appeared, or a project was newly attached to it (``created`` tells them apart)."""
        slug = project.slug if project else None
        data = {
            "project": slug,
            "created": created,
            "ref": release.ref,
            "url": release.url,
            "dateReleased": format_timestamp(release.date_released) if release.date_released else None,
        }
        self._release(release, "activity.release.created", slug or "", data)

    def release_released(self, release: Release, project: Project) -> None:
        """A release is out, for this project."""
        date = format_timestamp(release.date_released) if release.date_released else None
        data = {"project": project.slug, "dateReleased": date, "activityType": ActivityType.RELEASE}
        self._release(release, "activity.release.released", project.slug, data)

    def release_updated(self, release: Release, changes: dict[str, dict[str, Any]]) -> None:
        """Fields of a release changed: name -> ``{"from", "to"}``."""
        self._release(release, "activity.release.updated", "", {"changes": changes})

    def release_deployed(self, release: Release, project: Project, deploy: Deploy) -> None:
        """A release went to an environment, for this project."""
        data = {
            "project": project.slug,
            "environment": deploy.environment.name,
            "name": deploy.name,
            "url": deploy.url,
            "dateStarted": format_timestamp(deploy.date_started) if deploy.date_started else None,
            "dateFinished": format_timestamp(deploy.date_finished),
            "activityType": ActivityType.DEPLOY,
        }
        discriminator = f"{project.slug}\n{deploy.environment.name}"
        self._release(release, "activity.release.deployed", discriminator, data)

    def release_deleted(self, release: Release) -> None:
        """A release is gone, with its log, heads, projects and deploys."""
        self._release(release, "activity.release.deleted", "", {})

    def organization_updated(self, organization: Organization, changes: dict[str, str], actor: Actor | None) -> None:
        """Details of an organization changed: API field -> ``from A to B``, or ``to B`` (SEMANTICS section 10)."""
        self._record(
            "activity.organization.updated",
            organization.slug,
            organization.slug,
            "",
            {"organization": organization.slug, "changes": changes, "actor": _actor(actor)},
            organization_id=organization.id,
        )

    def commits_set(self, release: Release) -> None:
        """The commit log of a release, its heads or its commits changed."""
        authors = dict.fromkeys([commit.author for commit, _ in release.log if commit.author])
        heads = sorted(release.heads.values(), key=lambda commit: commit.repository.name)
        data = {
            "commitCount": len(release.log),
            "authors": [{"name": author.name, "email": author.email} for author in authors],
            "lastCommit": release.log[0][0].key if release.log else None,
            "headCommits": [{"repository": head.repository.name, "commit": head.key} for head in heads],
        }
        self._release(release, "activity.release.commits-set", "", data)

    def group_resolved(self, group: Group, actor: Actor | None, link: LinkTarget | None = None) -> None:
        """A group was resolved: by a commit or pull request (``link``), or by an event about it."""
        resolution = group.resolution
        version = resolution.version if resolution else None
        data = {
            "version": version,
            "type": resolution.type.label if resolution else None,
            **self._link(link),
            "actor": _actor(actor),
            "activityType": ActivityType.SET_RESOLVED_IN_RELEASE if version else ActivityType.SET_RESOLVED,
        }
        # One event may resolve a group in a release twice: pending or settled, then by a commit in it.
        discriminator = f"{version or ''}\n{data['type'] or ''}\n{link[0].label if link else ''}"
        self._group(group, "activity.group.resolved", discriminator, data)

    def group_unresolved(
        self, group: Group, version: str | None, actor: Actor | None, link: LinkTarget | None = None
    ) -> None:
        """A group is unresolved again; ``link`` is the link whose end did it, if one did."""
        data = {
            "version": version,
            **self._link(link),
            "actor": _actor(actor),
            "activityType": ActivityType.SET_UNRESOLVED,
        }
        self._group(group, "activity.group.unresolved", version or "", data)

    def group_reviewed(self, group: Group, actor: Actor) -> None:
        """Somebody looked at a group of the inbox (SEMANTICS 5.5)."""
        data = {"actor": _actor(actor), "activityType": ActivityType.MARK_REVIEWED}
        self._group(group, "activity.group.reviewed", "", data)

    def status_sync_requested(self, group: Group, version: str, issue: ExternalIssue) -> None:
        """A linked external issue should follow the group's status (upstream's ``kick_off_status_syncs``)."""
        data = {
            "version": version,
            "provider": issue.provider,
            "key": issue.key,
            "url": issue.url,
            "status": group.status.label,
        }
        discriminator = f"{version}\n{issue.provider}\n{issue.key}"
        self._group(group, "activity.group.status-sync-requested", discriminator, data)

    # --- one way to make each kind ---------------------------------------------------------------------------

    def _release(self, release: Release, type_: str, discriminator: str, data: dict[str, Any]) -> None:
        names = {"organization": release.organization.slug, "version": release.version}
        self._record(
            type_,
            release.key,
            release.version,
            discriminator,
            names | data,
            organization_id=release.organization.id,
            release_id=release.id,
        )

    def _group(self, group: Group, type_: str, discriminator: str, data: dict[str, Any]) -> None:
        names = {
            "organization": group.organization.slug,
            "project": group.project.slug,
            "shortId": group.short_id,
        }
        self._record(
            type_,
            group.key,
            group.short_id,
            discriminator,
            names | data,
            organization_id=group.organization.id,
            group_id=group.id,
        )

    def _record(
        self,
        type_: str,
        key: str,
        subject: str,
        discriminator: str,
        data: dict[str, Any],
        *,
        organization_id: int,
        release_id: int | None = None,
        group_id: int | None = None,
    ) -> None:
        event = self._event
        name = f"{type_}\n{key}\n{discriminator}\n{event.source}\n{event.id}"
        fact = Fact(
            id=fact_id(name),
            type=type_,
            key=key,
            subject=subject,
            data=data,
            date=self._rows.tick(),
            cause_id=event.id,
            cause_source=event.source,
            organization_id=organization_id,
            release_id=release_id,
            group_id=group_id,
        )
        self._rows.facts.append(fact)

    def _link(self, link: LinkTarget | None) -> dict[str, Any]:
        if link is None:
            return {}
        linked_type, linked_id = link
        if linked_type is LinkedType.COMMIT:
            commit = self._rows.commits_by_id[linked_id]
            return {"commit": {"repository": commit.repository.name, "id": commit.key}}
        pull_request = self._rows.pull_requests_by_id[linked_id]
        return {"pullRequest": {"repository": pull_request.repository.name, "number": pull_request.key}}


def fact_id(name: str) -> str:
    """The UUIDv5 of a name as a text: what ``str(uuid.uuid5(NAMESPACE, name))`` says, at a fraction of the time."""
    digits = sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = digits[16].translate(_VARIANT)
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _actor(actor: Actor | None) -> dict[str, Any] | None:
    return {"name": actor.name, "email": actor.email} if actor else None
