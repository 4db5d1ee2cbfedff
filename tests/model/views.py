"""The model's state as the JSON that users get, without ids and without times that only a clock knows."""

from __future__ import annotations

from datetime import UTC
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tests.model.state import Commit

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.contracts.events import Actor
    from tests.model.state import Author, Avatar, Deploy, Group, LinkSource, Organization, PullRequest, Release

Json = dict[str, Any]


def rfc3339(moment: datetime) -> str:
    """Write a time in UTC with ``Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def release_json(organization: Organization, release: Release) -> Json:
    """A release; ``projects``, heads, patch sets and resolved groups are sorted."""
    return {
        "organization": organization.slug,
        "version": release.version,
        "status": release.status,
        "ref": release.ref,
        "url": release.url,
        "dateReleased": _moment(release.date_released),
        "commitCount": len(release.log),
        "lastCommit": last_commit_json(release),
        "authors": authors_json(release),
        "projects": sorted(release.projects),
        "commits": [commit_json(commit) for commit in release.commits],
        "headCommits": heads_json(release),
        "deploys": deploys_json(release),
        "resolvedGroups": [
            group.short_id for group in organization.groups_by_short_id() if group.is_resolved_in(release.version)
        ],
    }


def group_json(organization: Organization, group: Group, activity: list[Json]) -> Json:
    """A group; its links are sorted by type and id."""
    resolution = group.resolution
    return {
        "organization": organization.slug,
        "project": group.project,
        "shortId": group.short_id,
        "title": group.title,
        "status": group.status,
        "inbox": group.inbox,
        "resolution": resolution
        and {
            "release": resolution.release,
            "type": resolution.type,
            "status": resolution.status,
            "actor": actor_json(resolution.actor),
        },
        "links": sorted(
            [
                *(_link_json("commit", commit.id, "resolves") for commit in group.linked_commits()),
                *(_link_json("pull_request", pull.number, "resolves") for pull in group.linked_pull_requests()),
                *(_link_json("issue", key, "references") for _, key in group.external_issues),
            ],
            key=lambda link: (link["type"], link["id"]),
        ),
        "activity": activity,
    }


def organization_state(organization: Organization) -> Json:
    """Everything of an organization that can be compared, releases and groups as users get them included."""
    return {
        "name": organization.name,
        "defaultRole": organization.default_role,
        "flags": organization.flags,
        "options": organization.options,
        "avatar": avatar_json(organization.avatar),
        "environments": sorted(organization.environments),
        "projects": {
            slug: {"name": project.name, "platform": project.platform}
            for slug, project in sorted(organization.projects.items())
        },
        "repositories": sorted(organization.repositories),
        "authors": {email: author.name for email, author in sorted(organization.authors.items())},
        "commits": [commit_json(organization.commits[key]) for key in sorted(organization.commits)],
        "pullRequests": [
            pull_request_json(organization.pull_requests[key]) for key in sorted(organization.pull_requests)
        ],
        "releases": {
            version: release_json(organization, release)
            | {
                "owner": release.owner,
                "dateStarted": _moment(release.date_started),
                "seenIn": sorted([project, environment] for project, environment in release.seen_in),
            }
            for version, release in sorted(organization.releases.items())
        },
        "groups": {
            group.short_id: group_json(organization, group, [])
            | {
                "firstRelease": group.first_release,
                "resolvedAt": group.resolved_at is not None,
                "externalIssues": [
                    {"provider": issue.provider, "key": issue.key, "url": issue.url}
                    for _, issue in sorted(group.external_issues.items())
                ],
                "resolvedBy": sorted([version, *_source_name(source)] for version, source in group.resolved_by),
            }
            for group in organization.groups_by_short_id()
        },
    }


def commit_json(commit: Commit) -> Json:
    """A commit; ``dateCreated`` only where an event gave it."""
    return {
        "id": commit.id,
        "repository": commit.repository,
        "message": commit.message,
        "author": commit.author and author_json(commit.author),
        "dateCreated": _moment(commit.date),
        "patchSet": [{"path": path, "type": change} for path, change in sorted(commit.patch_set.items())],
    }


def deploys_json(release: Release) -> list[Json]:
    """The deploys of a release, the last finished first; of equals the last told first."""
    return [deploy_json(deploy) for deploy in sorted(release.deploys, key=_ended)[::-1]]


def deploy_json(deploy: Deploy) -> Json:
    """A deploy; ``dateFinished`` only where an event gave it."""
    return {
        "environment": deploy.environment,
        "name": deploy.name,
        "url": deploy.url,
        "dateStarted": _moment(deploy.date_started),
        "dateFinished": _moment(deploy.date_finished),
    }


def avatar_json(avatar: Avatar) -> Json:
    """What stands for an organization, the picture by its digest."""
    return {
        "type": avatar.type,
        "color": avatar.color,
        "picture": avatar.picture and sha256(avatar.picture).hexdigest(),
    }


def pull_request_json(pull_request: PullRequest) -> Json:
    """A pull request."""
    return {
        "repository": pull_request.repository,
        "number": pull_request.number,
        "mergeCommitSha": pull_request.merge_commit_sha,
        "title": pull_request.title,
        "message": pull_request.message,
        "author": pull_request.author and author_json(pull_request.author),
    }


def author_json(author: Author) -> Json:
    """An author."""
    return {"name": author.name, "email": author.email}


def actor_json(actor: Actor | None) -> Json | None:
    """A person who did something, ``null`` where none is known."""
    return {"name": actor.name, "email": actor.email} if actor else None


def authors_json(release: Release) -> list[Json]:
    """The distinct authors of a release's log, in order of first appearance."""
    return [author_json(author) for author in release.authors]


def last_commit_json(release: Release) -> str | None:
    """The id of the newest commit of a release's log."""
    return release.log[0].commit.id if release.log else None


def heads_json(release: Release) -> list[Json]:
    """The head commits of a release by repository."""
    return [{"repository": name, "commit": head.id} for name, head in sorted(release.heads.items())]


def _link_json(link_type: str, link_id: str, relationship: str) -> Json:
    return {"type": link_type, "id": link_id, "relationship": relationship}


def _source_name(source: LinkSource) -> tuple[str, str, str]:
    if isinstance(source, Commit):
        return "commit", source.repository, source.id
    return "pull_request", source.repository, source.number


def _moment(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _ended(deploy: Deploy) -> datetime:
    return deploy.ended
