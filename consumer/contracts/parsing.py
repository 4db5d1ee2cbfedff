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
from consumer.contracts.formats import parse_json
from consumer.contracts.organization_options import FLAGS, OPTIONS, Kind
from consumer.contracts.pictures import decode_picture
from consumer.contracts.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

Json = dict[str, Any]


def parse(document: Json) -> AnyEvent:
    """The typed event of a document that fits its schema.

    Raises:
        ValueError: it breaks a rule that the quick schema check leaves open: a date that no calendar has, a
            picture that is none, a text that is not JSON, a public key that comes twice.
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


def _release_updated(document: Json, data: Json) -> ReleaseUpdated:
    return ReleaseUpdated(
        **_attributes(document, data),
        version=data["version"],
        ref=_unless_blank(data.get("ref")),
        url=_unless_blank(data.get("url")),
        date_released=_instant(data.get("dateReleased")),
        status=data.get("status"),
    )


def _release_deployed(document: Json, data: Json) -> ReleaseDeployed:
    return ReleaseDeployed(
        **_attributes(document, data),
        version=data["version"],
        environment=data["environment"],
        projects=data.get("projects"),
        name=_unless_blank(data.get("name")),
        url=_unless_blank(data.get("url")),
        date_started=_instant(data.get("dateStarted")),
        date_finished=_instant(data.get("dateFinished")),
    )


def _release_deleted(document: Json, data: Json) -> ReleaseDeleted:
    return ReleaseDeleted(**_attributes(document, data), version=data["version"])


def _organization_updated(document: Json, data: Json) -> OrganizationUpdated:
    avatar = _unless_blank(data.get("avatar"))
    color = _unless_blank(data.get("color"))
    return OrganizationUpdated(
        **_attributes(document, data),
        options={name: _option(option.kind, data[name]) for name, option in OPTIONS.items() if name in data},
        flags={name: data[name] for name in FLAGS if name in data},
        name=_unless_blank(data.get("name")),
        default_role=data.get("defaultRole"),
        avatar_type=data.get("avatarType"),
        avatar=decode_picture(avatar) if avatar else None,
        color=f"#{color.removeprefix('#').lower()}" if color else None,
        actor=_actor(data.get("actor")),
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
        actor=_actor(data.get("actor")),
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
    ReleaseUpdated.type: _release_updated,
    ReleaseDeployed.type: _release_deployed,
    ReleaseDeleted.type: _release_deleted,
    OrganizationUpdated.type: _organization_updated,
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
    get = data.get
    timestamp, patch_set = get("timestamp"), get("patch_set")
    return CommitData(
        data["id"],
        _unless_blank(get("repository")),
        # null means empty, absent means unknown.
        (data["message"] or "") if "message" in data else None,
        get("author_name"),
        get("author_email"),
        None if timestamp is None else parse_timestamp(timestamp),
        [(change["path"], change["type"]) for change in patch_set] if patch_set else [],
    )


def _ref(data: Json) -> RefData:
    start, separator, end = data["commit"].partition("..")
    if separator:
        return RefData(data["repository"], commit=end, previous_commit=start)
    return RefData(data["repository"], commit=start, previous_commit=_unless_blank(data.get("previousCommit")))


def _external_issue(data: Json) -> ExternalIssueData:
    return ExternalIssueData(data["provider"], data["key"], _unless_blank(data.get("url")))


def _actor(data: Json | None) -> Actor | None:
    """A person; one without name and e-mail address is nobody."""
    name, email = (_unless_blank(data.get(key)) for key in ("name", "email")) if data else (None, None)
    return Actor(name, email) if name or email else None


def _option(kind: Kind, value: Any) -> Any:
    """The value of an organization's option, checked where the schema cannot."""
    match kind:
        case "integer":
            # JSON Schema takes 7.0 for an integer too.
            return int(value)
        case "json":
            return _json_text(value)
        case "relays":
            return _relays(value)
        case _:
            return value


def _json_text(text: str | None) -> str | None:
    text = _unless_blank(text)
    if text is not None:
        parse_json(text)
    return text


def _relays(data: list[Json]) -> list[Json]:
    if len({relay["publicKey"] for relay in data}) < len(data):
        raise ValueError(data)
    return [
        {"name": relay["name"], "publicKey": relay["publicKey"], "description": _unless_blank(relay.get("description"))}
        for relay in data
    ]


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_timestamp(text)


def _unless_blank(text: str | None) -> str | None:
    return text if text and not text.isspace() else None
