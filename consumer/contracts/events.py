"""Typed events: what a decoded, valid CloudEvent looks like to the handlers.

A field that the event did not carry, or carried as ``null``, is ``None`` unless said otherwise. Times are
aware datetimes in UTC. Strings are verbatim, never trimmed (SEMANTICS section 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from datetime import datetime

ReleaseStatus = Literal["open", "archived"]
GroupStatus = Literal["unresolved", "resolved", "ignored"]
InboxReason = Literal["new", "regression", "manual", "reprocessed", "escalating", "ongoing"]
ResolutionType = Literal["in_release", "in_next_release", "in_upcoming_release"]
Replace = Literal["release", "repositories"]
Role = Literal["member", "admin", "manager", "owner"]
AvatarType = Literal["letter_avatar", "upload"]


class Absent:
    """Type of ``ABSENT``: told apart from ``None`` where ``null`` has a meaning of its own."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@dataclass(slots=True)
class CommitData:
    """A commit as an event lists it. ``message`` is ``""`` for ``null`` and ``None`` where absent.

    ``author_email`` keeps ``""`` apart from ``None``: blank means no author, missing falls back to the name.
    ``repository`` is ``None`` for missing, ``null`` or blank. ``patch_set`` is a list of (path, type).
    """

    id: str
    repository: str | None = None
    message: str | None = None
    author_name: str | None = None
    author_email: str | None = None
    timestamp: datetime | None = None
    patch_set: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class RefData:
    """A ref with its range already split: ``commit`` is the head, ``previous_commit`` the start."""

    repository: str
    commit: str
    previous_commit: str | None = None


@dataclass(slots=True)
class Actor:
    """A person as events and activities name them."""

    name: str | None
    email: str | None


@dataclass(slots=True)
class ExternalIssueData:
    """A linked issue of another tracker."""

    provider: str
    key: str
    url: str | None = None


@dataclass(slots=True)
class ResolutionData:
    """A resolution as ``group-updated`` carries it: ``release`` is a version."""

    type: ResolutionType
    release: str


@dataclass(slots=True, kw_only=True)
class Event:
    """What every event has: the CloudEvents attributes and the organization.

    ``key`` is the ordering key of the event: the version key ``organization:version`` of a release event,
    the organization of a catalog event. Events of one key are applied in the order of their topic.
    """

    type: ClassVar[str]
    id: str
    source: str
    time: datetime | None = None
    subject: str | None = None
    organization: str

    @property
    def key(self) -> str:
        """The ordering key: the organization."""
        return self.organization


@dataclass(slots=True, kw_only=True)
class ReleaseEvent(Event):
    """An event about one version key."""

    version: str

    @property
    def key(self) -> str:
        """The ordering key: the version key."""
        return f"{self.organization}:{self.version}"


@dataclass(slots=True, kw_only=True)
class ReleaseCreated(ReleaseEvent):
    """Create or get a release and attach projects to it (seed flow ``post``)."""

    type: ClassVar[str] = "release-created"
    projects: list[str]
    ref: str | None = None
    url: str | None = None
    date_released: datetime | None = None
    date_started: datetime | None = None
    owner: str | None = None
    status: ReleaseStatus | None = None
    commits: list[CommitData] = field(default_factory=list)
    refs: list[RefData] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class CommitsPushed(ReleaseEvent):
    """Replace the commit log of a release (seed flow ``set_commits``)."""

    type: ClassVar[str] = "commits-pushed"
    commits: list[CommitData]
    projects: list[str] = field(default_factory=list)
    refs: list[RefData] = field(default_factory=list)
    replace: Replace = "release"


@dataclass(slots=True, kw_only=True)
class ReleaseUpdated(ReleaseEvent):
    """Change what is known of a release; the first ``date_released`` means that it is out (seed flow ``put``).

    A blank ``ref`` or ``url`` is ``None`` too: nothing that is set can be taken away.
    """

    type: ClassVar[str] = "release-updated"
    ref: str | None = None
    url: str | None = None
    date_released: datetime | None = None
    status: ReleaseStatus | None = None


@dataclass(slots=True, kw_only=True)
class ReleaseDeployed(ReleaseEvent):
    """A release was deployed to an environment.

    ``projects`` is ``None`` where absent: all projects of the release; else it names at least one.
    """

    type: ClassVar[str] = "release-deployed"
    environment: str
    projects: list[str] | None = None
    name: str | None = None
    url: str | None = None
    date_started: datetime | None = None
    date_finished: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ReleaseDeleted(ReleaseEvent):
    """Remove a release with its log, heads and projects."""

    type: ClassVar[str] = "release-deleted"


@dataclass(slots=True, kw_only=True)
class OrganizationUpdated(Event):
    """Save details of an organization (seed flow ``save``, SEMANTICS section 10).

    ``options`` and ``flags`` hold only what the event carries, by API field name as the catalogue
    ``organization_options`` lists them; the values are in range. ``relayPiiConfig`` is ``None`` for ``null`` or
    blank. ``trustedRelays`` is a list of ``{"name", "publicKey", "description"}``, each public key once.
    ``avatar`` is a picture that was checked. ``color`` is ``#rrggbb`` in lower case.
    """

    type: ClassVar[str] = "organization-updated"
    options: dict[str, Any] = field(default_factory=dict)
    flags: dict[str, bool] = field(default_factory=dict)
    name: str | None = None
    default_role: Role | None = None
    avatar_type: AvatarType | None = None
    avatar: bytes | None = None
    color: str | None = None
    actor: Actor | None = None


@dataclass(slots=True, kw_only=True)
class ProjectUpdated(Event):
    """Create or rename a project."""

    type: ClassVar[str] = "project-updated"
    project: str
    name: str | None = None
    platform: str | None = None


@dataclass(slots=True, kw_only=True)
class GroupUpdated(Event):
    """Create or update a group; a field that is absent changes nothing.

    ``inbox`` is ``ABSENT`` where the event does not carry it; ``None`` (``null``) means reviewed.
    ``short_id`` is upper-cased. ``external_issues`` replaces the whole list where present.
    """

    type: ClassVar[str] = "group-updated"
    project: str
    short_id: str
    title: str | None = None
    status: GroupStatus | None = None
    inbox: InboxReason | Absent | None = ABSENT
    first_release: str | None = None
    resolution: ResolutionData | None = None
    external_issues: list[ExternalIssueData] | None = None
    actor: Actor | None = None


@dataclass(slots=True, kw_only=True)
class PullRequestMerged(Event):
    """A pull request was merged as ``merge_commit_sha``."""

    type: ClassVar[str] = "pull-request-merged"
    repository: str
    number: str
    merge_commit_sha: str
    title: str | None = None
    message: str | None = None
    author_name: str | None = None
    author_email: str | None = None


AnyEvent = (
    ReleaseCreated
    | CommitsPushed
    | ReleaseUpdated
    | ReleaseDeployed
    | ReleaseDeleted
    | OrganizationUpdated
    | ProjectUpdated
    | GroupUpdated
    | PullRequestMerged
)
