"""What the model remembers: the vocabulary of SEMANTICS section 1 as plain objects.

Rows compare by identity (``eq=False``), as database rows do; values compare by content.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from consumer.contracts.organization_options import DEFAULT_FLAGS, DEFAULT_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from consumer.contracts.events import (
        Actor,
        AvatarType,
        ExternalIssueData,
        GroupStatus,
        ReleaseStatus,
        ResolutionType,
        Role,
    )


@dataclass(eq=False, slots=True)
class Project:
    """A project of an organization; created by slug alone where an event names it (section 2)."""

    slug: str
    name: str | None = None
    platform: str | None = None


@dataclass(eq=False, slots=True)
class Author:
    """An author of commits and pull requests; ``email`` is lower-cased and unique in the organization."""

    email: str
    name: str | None = None


@dataclass(eq=False, slots=True)
class Commit:
    """A commit of a repository. ``date`` is ``None`` where no event gave a timestamp: the time of storing."""

    repository: str
    id: str
    message: str | None = None
    author: Author | None = None
    date: datetime | None = None
    patch_set: dict[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The texts that may name groups (section 5.1)."""
        return [self.message or ""]


@dataclass(eq=False, slots=True)
class PullRequest:
    """A merged pull request; it ships with every release whose log holds its merge commit (section 5.2)."""

    repository: str
    number: str
    merge_commit_sha: str
    title: str | None = None
    message: str | None = None
    author: Author | None = None

    @property
    def texts(self) -> list[str]:
        """The texts that may name groups, searched separately (section 5.1)."""
        return [self.message or "", self.title or ""]


LinkSource = Commit | PullRequest
"""What a message of resolves a group: the far end of a ``resolves`` link."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A place in a commit log, with the timestamp that the event which put it there gave."""

    commit: Commit
    timestamp: datetime | None


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release went to an environment. ``date_finished`` is ``None`` where no event gave it: then it is ``ended``.

    ``projects`` are those that it was told of, by one event or by several.
    """

    environment: str
    name: str | None
    url: str | None
    date_started: datetime | None
    date_finished: datetime | None
    ended: datetime
    projects: set[str] = field(default_factory=set, compare=False)

    def same_as(self, other: Deploy) -> bool:
        """Tell whether the other is the same deploy told again, which takes a given end."""
        return self.date_finished is not None and self == other


@dataclass(eq=False, slots=True)
class Release:
    """A release with its commit log, newest first, and its head commit per repository.

    ``deploys`` are in the order in which they were told; ``seen_in`` are pairs of a project and an environment.
    """

    version: str
    status: ReleaseStatus = "open"
    ref: str | None = None
    url: str | None = None
    owner: str | None = None
    date_started: datetime | None = None
    date_released: datetime | None = None
    projects: list[str] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    log_set_at: datetime | None = None
    heads: dict[str, Commit] = field(default_factory=dict)
    deploys: list[Deploy] = field(default_factory=list)
    seen_in: set[tuple[str, str]] = field(default_factory=set)

    @property
    def commits(self) -> list[Commit]:
        """The commits of the log, newest first."""
        return [entry.commit for entry in self.log]

    @property
    def authors(self) -> list[Author]:
        """The distinct authors of the log, in order of first appearance (section 4.6)."""
        return list(dict.fromkeys(commit.author for commit in self.commits if commit.author))

    def ships(self, source: LinkSource) -> bool:
        """Tell whether the log holds the commit, or the merge commit of the pull request (section 5.2)."""
        if isinstance(source, Commit):
            return source in self.commits
        return any(commit.id == source.merge_commit_sha for commit in self.commits)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Says that a group is resolved in ``release``: at most one per group; ``pending`` unless it is ``in_release``."""

    release: str
    type: ResolutionType
    actor: Actor | None

    @property
    def status(self) -> str:
        """``resolved`` where the release is known to hold the fix, else ``pending``."""
        return "resolved" if self.type == "in_release" else "pending"

    def same_as(self, other: Resolution | None) -> bool:
        """Tell whether the other says the same of the group, whoever said it."""
        return other is not None and replace(other, actor=self.actor) == self


@dataclass(eq=False, slots=True)
class Group:
    """An issue of a project.

    ``links`` are its ``resolves`` links in order of creation; ``resolved_by`` are the (release, link) pairs that have
    resolved it, forgotten only together with the release (section 5.4).
    """

    short_id: str
    project: str
    title: str = ""
    status: GroupStatus = "unresolved"
    inbox: str | None = None
    first_release: str | None = None
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    external_issues: dict[tuple[str, str], ExternalIssueData] = field(default_factory=dict)
    links: list[LinkSource] = field(default_factory=list)
    resolved_by: set[tuple[str, LinkSource]] = field(default_factory=set)

    def linked_commits(self) -> list[Commit]:
        """The linked commits in order of link creation."""
        return [source for source in self.links if isinstance(source, Commit)]

    def linked_pull_requests(self) -> list[PullRequest]:
        """The linked pull requests in order of link creation."""
        return [source for source in self.links if isinstance(source, PullRequest)]

    def is_resolved_in(self, version: str) -> bool:
        """Tell whether the group is already resolved in this very release."""
        resolution = self.resolution
        return (
            self.status == "resolved"
            and resolution is not None
            and (resolution.release, resolution.type) == (version, "in_release")
        )

    @property
    def pending_on(self) -> str | None:
        """The version that a pending resolution was set on."""
        resolution = self.resolution
        return resolution.release if resolution and resolution.status == "pending" else None

    def forget_release(self, version: str) -> None:
        """The release is gone: nothing is, nor was, resolved in it; the status stays."""
        if self.resolution and self.resolution.release == version:
            self.resolution = None
        self.resolved_by = {(release, source) for release, source in self.resolved_by if release != version}


@dataclass(eq=False, slots=True)
class Avatar:
    """What stands for an organization: its letters on a colour, or a picture; one that is not shown is kept."""

    type: AvatarType = "letter_avatar"
    color: str | None = None
    picture: bytes | None = None


@dataclass(eq=False, slots=True)
class Organization:
    """Everything of one organization. Dictionaries keep the order in which rows were first stored."""

    slug: str
    fallback_repository: str
    name: str | None = None
    default_role: Role = DEFAULT_ROLE
    flags: int = DEFAULT_FLAGS
    options: dict[str, Any] = field(default_factory=dict)
    avatar: Avatar = field(default_factory=Avatar)
    environments: set[str] = field(default_factory=set)
    projects: dict[str, Project] = field(default_factory=dict)
    repositories: set[str] = field(default_factory=set)
    authors: dict[str, Author] = field(default_factory=dict)
    commits: dict[tuple[str, str], Commit] = field(default_factory=dict)
    pull_requests: dict[tuple[str, str], PullRequest] = field(default_factory=dict)
    releases: dict[str, Release] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)

    def project(self, slug: str) -> Project:
        """Get or create a project (section 2)."""
        return self.projects.setdefault(slug, Project(slug))

    def commit(self, repository: str, commit_id: str) -> Commit:
        """Get or create a commit, and its repository with it (section 4.4)."""
        self.repositories.add(repository)
        return self.commits.setdefault((repository, commit_id), Commit(repository, commit_id))

    def link_sources(self) -> Iterator[LinkSource]:
        """All that may name a group: commits, then pull requests, each in the order of being first stored."""
        yield from self.commits.values()
        yield from self.pull_requests.values()

    def groups_by_short_id(self) -> list[Group]:
        """The groups in the order in which one event announces them (section 7)."""
        return [self.groups[short_id] for short_id in sorted(self.groups)]

    def releases_after(self, version: str) -> list[Release]:
        """The releases that were created after a known one, in the order of that."""
        created = list(self.releases)
        return [self.releases[later] for later in created[created.index(version) + 1 :]]

    def is_first_release(self, version: str) -> bool:
        """Tell whether a known release is one that a group was first seen in."""
        return version in self.releases and any(group.first_release == version for group in self.groups.values())

    def releases_by_log_age(self) -> list[Release]:
        """The releases that had a log set, in the order of that; ties in order of creation."""
        dated = [(release.log_set_at, release) for release in self.releases.values() if release.log_set_at]
        return [release for _, release in sorted(dated, key=lambda pair: pair[0])]
