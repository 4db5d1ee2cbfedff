"""From a valid document to the typed event that handlers take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consumer.contracts.events import (
    ABSENT,
    Actor,
    AnyEvent,
    CommitData,
    CommitsPushed,
    ExternalIssueData,
    GroupUpdated,
    ProjectUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ResolutionData,
)
from consumer.contracts.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Json = dict[str, Any]


def parse(document: Json) -> AnyEvent:
    """The typed event of a document that fits its schema.

    Raises:
        ValueError: it holds a date that no calendar has (the one rule that the quick schema check leaves open).
    """
    return _PARSERS[document["type"]](document, document["data"])


def _release_created(document: Json, data: Json) -> ReleaseCreated:
    return ReleaseCreated(
        **_attributes(document, data),
        version=data["version"],
        projects=data["projects"],
        ref=_unless_blank(data.get("ref")),
        url=_unless_blank(data.get("url")),
        date_released=_instant(data.get("dateReleased")),
        date_started=_instant(data.get("dateStarted")),
        owner=_unless_blank(data.get("owner")),
        status=data.get("status"),
        commits=[_commit(commit) for commit in data.get("commits", ())],
        refs=[_ref(ref) for ref in data.get("refs", ())],
    )


def _commits_pushed(document: Json, data: Json) -> CommitsPushed:
    return CommitsPushed(
        **_attributes(document, data),
        version=data["version"],
        commits=[_commit(commit) for commit in data["commits"]],
        projects=data.get("projects", []),
        refs=[_ref(ref) for ref in data.get("refs", ())],
        replace=data.get("replace", "release"),
    )


def _project_updated(document: Json, data: Json) -> ProjectUpdated:
    return ProjectUpdated(
        **_attributes(document, data),
        project=data["project"],
        name=_unless_blank(data.get("name")),
        platform=_unless_blank(data.get("platform")),
    )


def _group_updated(document: Json, data: Json) -> GroupUpdated:
    issues = data.get("externalIssues")
    actor = data.get("actor")
    resolution = data.get("resolution")
    return GroupUpdated(
        **_attributes(document, data),
        project=data["project"],
        short_id=data["shortId"].upper(),
        title=data.get("title"),
        status=data.get("status"),
        inbox=data.get("inbox", ABSENT),
        first_release=data.get("firstRelease"),
        resolution=resolution and ResolutionData(resolution["type"], resolution["release"]),
        external_issues=None if issues is None else [_external_issue(issue) for issue in issues],
        actor=None if actor is None else Actor(actor.get("name"), actor.get("email")),
    )


def _pull_request_merged(document: Json, data: Json) -> PullRequestMerged:
    number = data["number"]
    return PullRequestMerged(
        **_attributes(document, data),
        repository=data["repository"],
        # JSON Schema takes 7.0 for an integer too.
        number=number if isinstance(number, str) else str(int(number)),
        merge_commit_sha=data["mergeCommitSha"],
        title=data.get("title"),
        message=data.get("message"),
        author_name=data.get("author_name"),
        author_email=data.get("author_email"),
    )


_PARSERS: dict[str, Callable[[Json, Json], AnyEvent]] = {
    ReleaseCreated.type: _release_created,
    CommitsPushed.type: _commits_pushed,
    ProjectUpdated.type: _project_updated,
    GroupUpdated.type: _group_updated,
    PullRequestMerged.type: _pull_request_merged,
}


def _attributes(document: Json, data: Json) -> Json:
    return {
        "id": document["id"],
        "source": document["source"],
        "time": _instant(document.get("time")),
        "subject": document.get("subject"),
        "organization": data["organization"],
    }


def _commit(data: Json) -> CommitData:
    return CommitData(
        id=data["id"],
        repository=_unless_blank(data.get("repository")),
        # null means empty, absent means unknown.
        message=(data["message"] or "") if "message" in data else None,
        author_name=data.get("author_name"),
        author_email=data.get("author_email"),
        timestamp=_instant(data.get("timestamp")),
        patch_set=[(change["path"], change["type"]) for change in data.get("patch_set") or ()],
    )


def _ref(data: Json) -> RefData:
    start, separator, end = data["commit"].partition("..")
    if separator:
        return RefData(data["repository"], commit=end, previous_commit=start)
    return RefData(data["repository"], commit=start, previous_commit=_unless_blank(data.get("previousCommit")))


def _external_issue(data: Json) -> ExternalIssueData:
    return ExternalIssueData(data["provider"], data["key"], _unless_blank(data.get("url")))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_timestamp(text)


def _unless_blank(text: str | None) -> str | None:
    return text if text and not text.isspace() else None
