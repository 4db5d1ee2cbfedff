"""Random histories of typed events from small pools, so that what they touch meets often.

A history is a function of its seed alone: a failing test prints the seed, and ``history(seed)`` brings it back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, TypeVar

from consumer.contracts.events import (
    ABSENT,
    Actor,
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
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.contracts.events import (
        Absent,
        AnyEvent,
        GroupStatus,
        InboxReason,
        ReleaseStatus,
        Replace,
        ResolutionType,
    )

__all__ = ["LONGEST", "SHORTEST", "as_cloudevent", "history"]

Item = TypeVar("Item")

SHORTEST, LONGEST = 5, 80

DAWN = datetime(2024, 6, 1, tzinfo=UTC)
SOURCES = ["/ci", "/tracker"]
ORGANIZATIONS = ["acme", "globex"]
VERSIONS = ["1.0", "1.0 (beta)", "web@2.0"]
PROJECTS = ["api", "web"]
REPOSITORIES = ["acme/api", "acme/web", None]
UNKNOWN_REPOSITORY = "acme/nowhere"
COMMITS = [f"{digit}" * 40 for digit in range(1, 9)]
PULL_REQUESTS = ["7", "8"]
SHORT_IDS = ["API-1", "API-2", "WEB-1", "WEB-2"]
TIMESTAMPS = [None, DAWN, DAWN, DAWN + timedelta(hours=1), DAWN + timedelta(days=1)]
MESSAGES = [
    None,
    "",
    "Tidy up",
    "Fixes WEB-1",
    "fix: web-1, API-1",
    "Closes WEB-2 and API-2",
    "resolved\nAPI-1",
    "fix(WEB-1): not a claim",
    "Fixes #12, see https://example.com/WEB-2",
    "Fixes WEB-9, a group that never comes",
    "Fixes WEB-1 #skipsentry",
]
AUTHORS = [
    (None, None),
    ("Ann", "ann@example.com"),
    ("Anna", "Ann@Example.com"),
    (None, "ANN@example.com"),
    ("", "ann@example.com"),
    ("Bob Böhm", None),
    ("Bob", "bobböhm@localhost"),
    ("Bob", ""),
    ("^^^", None),
    ("Cleo", "cleo" * 20 + "@Example.com"),
]
PATCH_SETS = [[], [], [("a.py", "A")], [("a.py", "M"), ("b.py", "D"), ("a.py", "D")]]
ACTORS = [None, Actor("Dana", "dana@example.com"), Actor(None, "eve@example.com")]
INBOX: list[InboxReason | Absent | None] = [ABSENT, ABSENT, "new", "regression", None]
GROUP_STATUSES: list[GroupStatus | None] = [None, None, "unresolved", "resolved", "ignored"]
RELEASE_STATUSES: list[ReleaseStatus | None] = [None, "open", "archived"]
RESOLUTION_TYPES: list[ResolutionType] = ["in_release", "in_next_release", "in_upcoming_release"]
REPLACE: list[Replace] = ["release", "release", "repositories"]
ISSUES = [
    ExternalIssueData("github", "acme/web#5", "https://github.com/acme/web/issues/5"),
    ExternalIssueData("jira", "WEB-5"),
]


def history(seed: int, length: int | None = None) -> list[AnyEvent]:
    """Return 5 to 80 events, or as many as asked for, in the order of their topics."""
    return _Historian(Random(seed)).write(length)


class _Historian:
    """Makes up events one after the other, and remembers them to send some again."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._events: list[AnyEvent] = []
        self._kinds: list[tuple[Callable[[], AnyEvent], int]] = [
            (self._commits_pushed, 40),
            (self._release_created, 15),
            (self._group_updated, 25),
            (self._pull_request_merged, 10),
            (self._project_updated, 2),
            (self._sent_twice, 4),
            (self._said_again, 6),
        ]

    def write(self, length: int | None) -> list[AnyEvent]:
        kinds, weights = zip(*self._kinds, strict=True)
        for kind in self._random.choices(kinds, weights, k=length or self._random.randint(SHORTEST, LONGEST)):
            self._events.append(kind())
        return self._events

    def _release_created(self) -> ReleaseCreated:
        return ReleaseCreated(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            version=self._random.choice(VERSIONS),
            projects=self._some(PROJECTS, least=1),
            ref=self._rarely("main"),
            url=self._rarely("https://example.com/releases/1"),
            date_released=self._rarely(DAWN + timedelta(days=2)),
            owner=self._rarely("dana@example.com"),
            status=self._random.choice(RELEASE_STATUSES),
            commits=self._commits() if self._random.random() < 0.5 else [],
            refs=self._refs(),
        )

    def _commits_pushed(self) -> CommitsPushed:
        return CommitsPushed(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            version=self._random.choice(VERSIONS),
            commits=self._commits(),
            projects=self._some(PROJECTS),
            refs=self._refs(),
            replace=self._random.choice(REPLACE),
        )

    def _project_updated(self) -> ProjectUpdated:
        return ProjectUpdated(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            project=self._random.choice(PROJECTS),
            name=self._rarely("A name"),
            platform=self._rarely("python"),
        )

    def _group_updated(self) -> GroupUpdated:
        short_id = self._random.choice(SHORT_IDS)
        home = short_id.partition("-")[0].lower()
        return GroupUpdated(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            project=self._random.choice([home, home, home, *PROJECTS]),
            short_id=short_id,
            title=self._rarely("Something broke"),
            status=self._random.choice(GROUP_STATUSES),
            inbox=self._random.choice(INBOX),
            first_release=self._rarely(self._random.choice(VERSIONS)),
            resolution=self._rarely(
                ResolutionData(self._random.choice(RESOLUTION_TYPES), self._random.choice(VERSIONS))
            ),
            external_issues=self._rarely(self._some(ISSUES)),
            actor=self._random.choice(ACTORS),
        )

    def _pull_request_merged(self) -> PullRequestMerged:
        author_name, author_email = self._random.choice(AUTHORS)
        return PullRequestMerged(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            repository=self._random.choice([name for name in REPOSITORIES if name]),
            number=self._random.choice(PULL_REQUESTS),
            merge_commit_sha=self._random.choice(COMMITS),
            title=self._random.choice(MESSAGES),
            message=self._random.choice(MESSAGES),
            author_name=author_name,
            author_email=author_email,
        )

    def _sent_twice(self) -> AnyEvent:
        """The same event, id and all."""
        return self._random.choice(self._events) if self._events else self._commits_pushed()

    def _said_again(self) -> AnyEvent:
        """The same content under a new id."""
        return replace(self._sent_twice(), id=self._new_id())

    def _commits(self) -> list[CommitData]:
        return [self._commit() for _ in range(self._random.choice([0, 1, 1, 2, 3, 5]))]

    def _commit(self) -> CommitData:
        author_name, author_email = self._random.choice(AUTHORS)
        return CommitData(
            id=self._random.choice(COMMITS),
            repository=self._random.choice(REPOSITORIES),
            message=self._random.choice(MESSAGES),
            author_name=author_name,
            author_email=author_email,
            timestamp=self._random.choice(TIMESTAMPS),
            patch_set=list(self._random.choice(PATCH_SETS)),
        )

    def _refs(self) -> list[RefData]:
        """Mostly none; sometimes two of one repository, a range, or a repository that nobody knows."""
        names = [name for name in REPOSITORIES if name]
        return [
            RefData(
                self._random.choice([*names * 3, UNKNOWN_REPOSITORY]),
                self._random.choice(COMMITS),
                self._random.choice([None, *COMMITS[:2]]),
            )
            for _ in range(self._random.choice([0, 0, 0, 0, 1, 2]))
        ]

    def _organization(self) -> str:
        """The first one mostly, so that histories stay dense."""
        return self._random.choices(ORGANIZATIONS, [4, 1])[0]

    def _new_id(self) -> str:
        return f"event-{len(self._events)}"

    def _some(self, pool: list[Item], least: int = 0) -> list[Item]:
        return self._random.sample(pool, self._random.randint(least, len(pool)))

    def _rarely(self, value: Item) -> Item | None:
        return self._random.choice([value, None, None, None])
