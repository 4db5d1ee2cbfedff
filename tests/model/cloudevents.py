"""Typed events as the CloudEvents documents that publishers send (SEMANTICS section 2, structured mode)."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, assert_never

from consumer.contracts.events import (
    Absent,
    CommitData,
    CommitsPushed,
    GroupUpdated,
    OrganizationUpdated,
    ProjectUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
)
from tests.model.views import actor_json, rfc3339

if TYPE_CHECKING:
    from random import Random

    from consumer.contracts.events import AnyEvent

Json = dict[str, Any]
ELSEWHERE = timezone(timedelta(hours=2))


def as_cloudevent(event: AnyEvent, spelling: Random | None = None) -> Json:
    """Return the document that decodes to this very event.

    Args:
        event: a valid event.
        spelling: chooses among spellings that mean the same, such as absent and ``null``, ``A..B`` and
            ``previousCommit``, or times in other zones; without it the plainest is used.
    """
    return _given(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "time": event.time and rfc3339(event.time),
            "subject": event.subject,
            "datacontenttype": "application/json",
            "data": {"organization": event.organization} | _data(event, _Spelling(spelling)),
        }
    )


class _Spelling:
    """Writes values in one of the ways that mean the same; always the first without a source of chance."""

    def __init__(self, random: Random | None) -> None:
        self._random = random

    def choose(self, *same: Any) -> Any:
        return self._random.choice(same) if self._random else same[0]

    def time(self, moment: datetime | None) -> str | None:
        if moment is None:
            return None
        naive = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
        return str(self.choose(rfc3339(moment), moment.astimezone(ELSEWHERE).isoformat(), naive))

    def blank(self) -> Any:
        """A text that is not given: absent or blank."""
        return self.choose(None, "", " ")

    def picture(self, content: bytes) -> str:
        """Base64, in one line or in many."""
        line = b64encode(content).decode()
        return str(self.choose(line, "\n".join(line[start : start + 76] for start in range(0, len(line), 76))))

    def commit(self, commit: CommitData) -> Json:
        data = _given(
            {
                "id": commit.id,
                "repository": commit.repository,
                "author_name": commit.author_name,
                "author_email": commit.author_email,
                "timestamp": self.time(commit.timestamp),
            }
        )
        if commit.message is not None:
            data["message"] = commit.message or self.choose("", None)
        if commit.patch_set:
            data["patch_set"] = [{"path": path, "type": change} for path, change in commit.patch_set]
        missing: Json = self.choose({}, {"repository": None, "author_email": None, "timestamp": None})
        return missing | data

    def ref(self, ref: RefData) -> Json:
        if ref.previous_commit is None:
            return {"repository": ref.repository, "commit": ref.commit}
        range_: Json = self.choose(
            {"commit": f"{ref.previous_commit}..{ref.commit}"},
            {"commit": ref.commit, "previousCommit": ref.previous_commit},
            {"commit": f"{ref.previous_commit}..{ref.commit}", "previousCommit": "overwritten by the range"},
        )
        return {"repository": ref.repository} | range_


def _data(event: AnyEvent, spelling: _Spelling) -> Json:
    match event:
        case ReleaseCreated():
            fields = {
                "version": event.version,
                "projects": event.projects,
                "ref": event.ref,
                "url": event.url,
                "dateReleased": spelling.time(event.date_released),
                "dateStarted": spelling.time(event.date_started),
                "owner": event.owner,
                "status": event.status,
                "commits": [spelling.commit(commit) for commit in event.commits] or spelling.choose(None, []),
                "refs": [spelling.ref(ref) for ref in event.refs] or None,
            }
        case CommitsPushed():
            fields = {
                "version": event.version,
                "commits": [spelling.commit(commit) for commit in event.commits],
                "projects": event.projects or spelling.choose(None, []),
                "refs": [spelling.ref(ref) for ref in event.refs] or None,
                "replace": event.replace if event.replace != "release" else spelling.choose(None, "release"),
            }
        case ReleaseUpdated() | ReleaseDeployed() | ReleaseDeleted():
            fields = _release_data(event, spelling)
        case OrganizationUpdated():
            return _organization_data(event, spelling)
        case ProjectUpdated():
            fields = {"project": event.project, "name": event.name, "platform": event.platform}
        case GroupUpdated():
            return _group_data(event)
        case PullRequestMerged():
            fields = {
                "repository": event.repository,
                "number": event.number,
                "mergeCommitSha": event.merge_commit_sha,
                "title": event.title,
                "message": event.message,
                "author_name": event.author_name,
                "author_email": event.author_email,
            }
        case _:
            assert_never(event)
    return _given(fields)


def _release_data(event: ReleaseUpdated | ReleaseDeployed | ReleaseDeleted, spelling: _Spelling) -> Json:
    match event:
        case ReleaseUpdated():
            return {
                "version": event.version,
                "ref": event.ref or spelling.blank(),
                "url": event.url or spelling.blank(),
                "dateReleased": spelling.time(event.date_released),
                "status": event.status,
            }
        case ReleaseDeployed():
            return {
                "version": event.version,
                "environment": event.environment,
                "projects": event.projects,
                "name": event.name or spelling.blank(),
                "url": event.url or spelling.blank(),
                "dateStarted": spelling.time(event.date_started),
                "dateFinished": spelling.time(event.date_finished),
            }
        case ReleaseDeleted():
            return {"version": event.version}


def _organization_data(event: OrganizationUpdated, spelling: _Spelling) -> Json:
    """Options are written as they are: ``null`` is a value of some."""
    details = _given(
        {
            "name": event.name or spelling.blank(),
            "defaultRole": event.default_role,
            "avatarType": event.avatar_type,
            "avatar": spelling.picture(event.avatar) if event.avatar else spelling.blank(),
            "color": event.color and spelling.choose(event.color, event.color.removeprefix("#").upper()),
            "actor": actor_json(event.actor),
        }
    )
    return event.options | event.flags | details


def _group_data(event: GroupUpdated) -> Json:
    data = _given(
        {
            "project": event.project,
            "shortId": event.short_id,
            "title": event.title,
            "status": event.status,
            "firstRelease": event.first_release,
            "actor": actor_json(event.actor),
        }
    )
    if not isinstance(event.inbox, Absent):
        data["inbox"] = event.inbox
    if event.resolution:
        data["resolution"] = {"type": event.resolution.type, "release": event.resolution.release}
    if event.external_issues is not None:
        data["externalIssues"] = [
            _given({"provider": issue.provider, "key": issue.key, "url": issue.url}) for issue in event.external_issues
        ]
    return data


def _given(fields: Json) -> Json:
    """Leave out what is not given."""
    return {name: value for name, value in fields.items() if value is not None}
