"""Short ways to say what happens: typed events of organization acme with everything else made up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from consumer.contracts.events import (
    Actor,
    CommitData,
    CommitsPushed,
    ExternalIssueData,
    GroupUpdated,
    OrganizationUpdated,
    ProjectUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
    ResolutionData,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.contracts.events import AnyEvent, ResolutionType

    Said = TypeVar("Said", bound=AnyEvent)

ACME = "acme"
WEB = "acme/web"
API = "acme/api"
FALLBACK_REPOSITORY = "organization-<organization id>"
ANN = {"author_name": "Ann", "author_email": "ann@example.com"}
BOB = {"author_name": "Bob", "author_email": "bob@example.com"}
DANA = Actor("Dana", "dana@example.com")

_numbers = count(1)


def at(hour: int) -> datetime:
    """Return a time of one certain day."""
    return datetime(2024, 6, 1, hour, tzinfo=UTC)


def commit(commit_id: str, message: str | None = None, **fields: Any) -> CommitData:
    """A commit of repository acme/web unless said otherwise."""
    return CommitData(**({"id": commit_id, "message": message, "repository": WEB} | fields))


def ref(repository: str, commit_id: str, previous: str | None = None) -> RefData:
    """A ref."""
    return RefData(repository, commit_id, previous)


def pushed(
    *commits: CommitData, version: str = "1.0", projects: Sequence[str] = ("web",), **fields: Any
) -> CommitsPushed:
    """Commits are pushed to release 1.0 of project web."""
    release = {"version": version, "commits": list(commits), "projects": list(projects)}
    return CommitsPushed(**(_envelope() | release | fields))


def created(*projects: str, version: str = "1.0", **fields: Any) -> ReleaseCreated:
    """Release 1.0 is created for projects, for web unless said otherwise."""
    return ReleaseCreated(**_envelope(), version=version, projects=list(projects or ["web"]), **fields)


def updated(version: str = "1.0", **fields: Any) -> ReleaseUpdated:
    """Release 1.0 is updated."""
    return ReleaseUpdated(**_envelope(), version=version, **fields)


def deployed(environment: str = "production", version: str = "1.0", **fields: Any) -> ReleaseDeployed:
    """Release 1.0 is deployed to production."""
    return ReleaseDeployed(**_envelope(), version=version, environment=environment, **fields)


def deleted(version: str = "1.0") -> ReleaseDeleted:
    """Release 1.0 is deleted."""
    return ReleaseDeleted(**_envelope(), version=version)


def organization(**fields: Any) -> OrganizationUpdated:
    """Details of organization acme are saved."""
    return OrganizationUpdated(**(_envelope() | fields))


def group(short_id: str = "WEB-1", project: str = "web", **fields: Any) -> GroupUpdated:
    """Group WEB-1 of project web is created or updated."""
    return GroupUpdated(**(_envelope() | {"project": project, "short_id": short_id} | fields))


def merged(number: str, sha: str, message: str | None = None, **fields: Any) -> PullRequestMerged:
    """A pull request of repository acme/web is merged."""
    return PullRequestMerged(
        **({**_envelope(), "repository": WEB, "number": number, "merge_commit_sha": sha, "message": message} | fields)
    )


def project(slug: str) -> ProjectUpdated:
    """A project is made known."""
    return ProjectUpdated(**_envelope(), project=slug)


def resolution(kind: ResolutionType, version: str) -> ResolutionData:
    """A resolution set by hand."""
    return ResolutionData(kind, version)


def issue(provider: str, key: str) -> ExternalIssueData:
    """A linked issue of another tracker."""
    return ExternalIssueData(provider, key, f"https://{provider}.example.com/{key}")


def said_again(event: Said) -> Said:
    """The same content under a new event id."""
    return replace(event, id=_new_id())


def _envelope() -> dict[str, Any]:
    return {"id": _new_id(), "source": "/conformance", "organization": ACME}


def _new_id() -> str:
    return f"conformance-{next(_numbers)}"
