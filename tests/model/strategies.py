"""Random histories of typed events from small pools, so that what they touch meets often.

A history is a function of its seed alone: a failing test prints the seed, and ``history(seed)`` brings it back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from consumer.contracts.events import (
    ABSENT,
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
from consumer.contracts.organization_options import FLAGS, OPTIONS, ROLES
from tests.model.cloudevents import as_cloudevent
from tests.support.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.contracts.events import (
        Absent,
        AnyEvent,
        AvatarType,
        GroupStatus,
        InboxReason,
        ReleaseStatus,
        Replace,
        ResolutionType,
    )
    from consumer.contracts.organization_options import Option

__all__ = ["LONGEST", "SHORTEST", "as_cloudevent", "history"]

Item = TypeVar("Item")

SHORTEST, LONGEST = 5, 80

DAWN = datetime(2024, 6, 1, tzinfo=UTC)
SOURCES = ["/ci", "/tracker"]
ORGANIZATIONS = ["acme", "globex"]
VERSIONS = ["1.0", "1.0 (beta)", "web@2.0", "web@2.1"]
PROJECTS = ["api", "web"]
REPOSITORIES = ["acme/api", "acme/web", None]
UNATTACHED_PROJECT = "mobile"
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
RESOLUTION_TYPES: list[ResolutionType] = ["in_release", "in_next_release", "in_next_release", "in_upcoming_release"]
REPLACE: list[Replace] = ["release", "release", "repositories"]
ISSUES = [
    ExternalIssueData("github", "acme/web#5", "https://github.com/acme/web/issues/5"),
    ExternalIssueData("jira", "WEB-5"),
]
REFS = ["main", "v1"]
URLS = ["https://example.com/releases/1", "https://example.com/releases/2"]
DATES_RELEASED = [DAWN + timedelta(days=2), DAWN + timedelta(days=3)]
ENVIRONMENTS = ["production", "production", "staging"]
DATES_FINISHED = [None, DAWN, DAWN + timedelta(hours=1)]
OFTEN_SET = ["projectRateLimit", "dataScrubber", "sensitiveFields", "debugFilesRole", "relayPiiConfig", "trustedRelays"]
OPTION_VALUES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "strings": [[], ["pin"], ["pin", "it's"]],
    "role": list(ROLES),
    "json": [None, "{}", '{"rules": {}}'],
    "relays": [
        [],
        [{"name": "Relay", "publicKey": "key-1", "description": None}],
        [{"name": "Relay", "publicKey": "key-1", "description": "Ours"}],
        [
            {"name": "Other", "publicKey": "key-2", "description": None},
            {"name": "Relay", "publicKey": "key-1", "description": None},
        ],
    ],
}
AVATAR_TYPES: list[AvatarType | None] = [None, None, "letter_avatar", "upload"]
PICTURES = [picture(color=color) for color in ("teal", "plum")]


def history(seed: int, length: int | None = None) -> list[AnyEvent]:
    """Return 5 to 80 events, or as many as asked for, in the order of their topics."""
    return _Historian(Random(seed)).write(length)


class _Historian:
    """Makes up events one after the other, and remembers them to send some again."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._events: list[AnyEvent] = []
        self._kinds: list[tuple[Callable[[], AnyEvent], int]] = [
            (self._commits_pushed, 35),
            (self._release_created, 20),
            (self._release_updated, 10),
            (self._release_deployed, 15),
            (self._release_deleted, 12),
            (self._group_updated, 35),
            (self._pull_request_merged, 10),
            (self._project_updated, 2),
            (self._organization_updated, 10),
            (self._sent_twice, 5),
            (self._said_again, 8),
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
            ref=self._rarely(self._random.choice(REFS)),
            url=self._rarely(self._random.choice(URLS)),
            date_released=self._rarely(self._random.choice(DATES_RELEASED)),
            date_started=self._rarely(DAWN),
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

    def _release_updated(self) -> ReleaseUpdated:
        return ReleaseUpdated(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            version=self._random.choice(VERSIONS),
            ref=self._random.choice([None, *REFS]),
            url=self._random.choice([None, *URLS]),
            date_released=self._random.choice([None, *DATES_RELEASED]),
            status=self._random.choice(RELEASE_STATUSES),
        )

    def _release_deployed(self) -> ReleaseDeployed:
        """Mostly for all projects; sometimes for one that no release is attached to."""
        return ReleaseDeployed(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            version=self._random.choice(VERSIONS),
            environment=self._random.choice(ENVIRONMENTS),
            projects=self._rarely(self._some([*PROJECTS, self._random.choice([*PROJECTS, UNATTACHED_PROJECT])], 1)),
            name=self._rarely("blue"),
            url=self._rarely(self._random.choice(URLS)),
            date_started=self._rarely(DAWN),
            date_finished=self._random.choice(DATES_FINISHED),
        )

    def _release_deleted(self) -> ReleaseDeleted:
        return ReleaseDeleted(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            version=self._random.choice(VERSIONS),
        )

    def _organization_updated(self) -> OrganizationUpdated:
        fields = [*OFTEN_SET, self._random.choice([*OPTIONS])]
        return OrganizationUpdated(
            id=self._new_id(),
            source=self._random.choice(SOURCES),
            organization=self._organization(),
            options={field: self._value(OPTIONS[field]) for field in self._random.sample(fields, 2)},
            flags={field: self._random.choice([True, False]) for field in self._some([*FLAGS])[:2]},
            name=self._rarely(self._random.choice(["Acme", "Acme Inc."])),
            default_role=self._rarely(self._random.choice(ROLES)),
            avatar_type=self._random.choice(AVATAR_TYPES),
            avatar=self._often(self._random.choice(PICTURES)),
            color=self._often(self._random.choice(["#4674ca", "#ffffff"])),
            actor=self._random.choice(ACTORS),
        )

    def _value(self, option: Option) -> Any:
        """A value for an option of an organization, the default among them where there is one."""
        if option.kind == "integer":
            return self._random.choice([option.minimum, option.maximum, option.default or option.minimum])
        return self._random.choice(OPTION_VALUES[option.kind])

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
            first_release=self._rarely(self._rarely(self._random.choice(VERSIONS))),
            resolution=self._often(
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

    def _often(self, value: Item) -> Item | None:
        return self._random.choice([value, None])

    def _rarely(self, value: Item) -> Item | None:
        return self._random.choice([value, None, None, None])
