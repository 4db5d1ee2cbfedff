"""Rows as the handlers see them: plain objects that a batch loads, changes in memory and writes back as sets.

``stored`` is false for a row that this batch creates. ``changed`` marks a stored row for an update. ``xmin`` is
PostgreSQL's row version at the time of reading: an update that does not find it raises ``StaleSnapshot``, so two
workers never overwrite each other's work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consumer.codes import (
    GroupStatus,
    HistoryStatus,
    LinkedType,
    Relationship,
    ReleaseStatus,
    ResolutionStatus,
    ResolutionType,
)
from consumer.contracts.events import Actor, AvatarType
from consumer.contracts.organization_options import DEFAULT_FLAGS, DEFAULT_ROLE

if TYPE_CHECKING:
    from datetime import datetime

LinkTarget = tuple[LinkedType, int]
"""What a link points to: its type and the id of the row."""


@dataclass(slots=True, eq=False, kw_only=True)
class Row:
    """What every row has."""

    id: int
    stored: bool = False
    changed: bool = False
    xmin: int = 0


@dataclass(slots=True, eq=False, kw_only=True)
class Organization(Row):
    """An organization with its details (SEMANTICS section 10); ``options`` holds what was ever set, by API field."""

    slug: str
    name: str | None = None
    default_role: str = DEFAULT_ROLE
    flags: int = DEFAULT_FLAGS
    options: dict[str, Any] = field(default_factory=dict)
    avatar: Avatar | None = None


@dataclass(slots=True, eq=False)
class Avatar:
    """The avatar of an organization. ``content`` is only there when this batch brings a new picture."""

    type: AvatarType
    ident: str
    digest: bytes | None = None
    color: str | None = None
    content: bytes | None = None
    changed: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Project(Row):
    """A project; created by its slug alone where an event names it."""

    organization_id: int
    slug: str
    name: str | None = None
    platform: str | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Repository(Row):
    """A repository of an organization, by its exact name."""

    organization_id: int
    name: str


@dataclass(slots=True, eq=False, kw_only=True)
class Author(Row):
    """An author of commits and pull requests; ``email`` is lower-cased."""

    organization_id: int
    email: str
    name: str | None = None

    @property
    def actor(self) -> Actor:
        """The author as resolutions and activities name a person."""
        return Actor(self.name, self.email)


_NONE: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False)
class Commit(Row):
    """A commit; ``references`` are the short ids that its message names.

    ``modified_by`` is the ordinal of the last event of the batch that made or modified it.
    """

    repository: Repository
    key: str
    date_added: datetime
    message: str | None = None
    author: Author | None = None
    modified_by: int = 0
    references: frozenset[str] = _NONE


LogEntry = tuple[Commit, "datetime | None"]
"""One place of a commit log: the commit, and the timestamp it was ordered by."""


@dataclass(slots=True, eq=False, kw_only=True)
class Environment(Row):
    """Where releases are deployed to."""

    organization_id: int
    name: str


@dataclass(slots=True, eq=False, kw_only=True)
class Deploy(Row):
    """One deployment of a release, for the projects that it was told of."""

    environment: Environment
    name: str | None
    url: str | None
    date_started: datetime | None
    date_finished: datetime
    project_ids: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False, kw_only=True)
class Release(Row):
    """A release with its projects (by id), log (newest first) and heads (by repository id).

    ``log_known`` is false where the log was not read, because nothing in the batch can change it.
    ``log_set_by`` is the ordinal of the last event of the batch that set the log.
    """

    organization: Organization
    version: str
    date_added: datetime
    status: ReleaseStatus = ReleaseStatus.OPEN
    ref: str | None = None
    url: str | None = None
    owner: str | None = None
    date_started: datetime | None = None
    date_released: datetime | None = None
    log_digest: bytes | None = None
    log_set_at: datetime | None = None
    projects: dict[int, Project] = field(default_factory=dict)
    stored_projects: set[int] = field(default_factory=set)
    deploys: list[Deploy] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    log_known: bool = False
    log_changed: bool = False
    log_set_by: int = 0
    heads: dict[int, Commit] = field(default_factory=dict)
    stored_heads: dict[int, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The version key."""
        return f"{self.organization.slug}:{self.version}"

    @property
    def listed_at(self) -> datetime:
        """What listings are ordered by (SEMANTICS section 8)."""
        return self.date_released or self.date_added

    def projects_by_slug(self) -> list[Project]:
        """The projects, in the order of their slugs."""
        return sorted(self.projects.values(), key=lambda project: project.slug)


@dataclass(slots=True, eq=False, kw_only=True)
class PullRequest(Row):
    """A merged pull request; ``references`` are the short ids that its message and title name."""

    organization_id: int
    repository: Repository
    key: str
    merge_commit_sha: str
    title: str | None = None
    message: str | None = None
    author: Author | None = None
    references: frozenset[str] = _NONE


@dataclass(slots=True, eq=False, kw_only=True)
class ExternalIssue(Row):
    """An issue of another tracker."""

    organization_id: int
    provider: str
    key: str
    url: str | None = None


@dataclass(slots=True, eq=False)
class Resolution:
    """What a group is resolved in.

    ``version`` names the release, which may not be known yet: then ``release_id`` and ``release_date`` (when it was
    first heard of) are ``None``.
    """

    version: str
    release_id: int | None
    type: ResolutionType
    status: ResolutionStatus
    actor: Actor | None
    date_added: datetime
    release_date: datetime | None = None


@dataclass(slots=True, eq=False)
class Link:
    """A link of a group, without what it points to."""

    id: int
    relationship: Relationship
    stored: bool = False


@dataclass(slots=True, eq=False, kw_only=True)
class Group(Row):
    """A group with its inbox row, resolution, links, and what has resolved it in which release."""

    organization: Organization
    project: Project
    short_id: str
    date_added: datetime
    title: str = ""
    status: GroupStatus = GroupStatus.UNRESOLVED
    first_release: str | None = None
    resolved_at: datetime | None = None
    inbox: int | None = None
    resolution: Resolution | None = None
    links: dict[LinkTarget, Link] = field(default_factory=dict)
    resolved_by: set[tuple[int, LinkedType, int]] = field(default_factory=set)

    @property
    def key(self) -> str:
        """The record key of its activities."""
        return f"{self.organization.slug}:{self.short_id}"


@dataclass(slots=True, eq=False)
class HistoryEntry:
    """One line of a group's history, written once."""

    group: Group
    status: HistoryStatus
    version: str | None
    actor: Actor | None
    date_added: datetime
