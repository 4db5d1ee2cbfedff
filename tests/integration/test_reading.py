"""What readers get of rows that were put in by SQL, and of activities on the topic."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from sqlalchemy import delete, event, insert

from consumer.cli.main import root
from consumer.contracts.organization_options import DEFAULT_FLAGS, FLAGS, OPTIONS
from consumer.errors import UsageError
from consumer.store import tables
from consumer.store.database import connect
from consumer.store.listing_keys import folded_version, precedence
from consumer.store.reading import listings
from consumer.store.reading.dead_letters import list_dead_letters, show_dead_letter
from consumer.store.reading.groups import show_group
from consumer.store.reading.organizations import letter_color, read_picture, show_organization
from consumer.store.reading.releases import list_releases, show_release
from consumer.store.semver import SEMVER_COLUMNS, parse_release_version
from tests.support.direct import DirectApplier
from tests.support.pictures import picture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from sqlalchemy import Connection, Table

    from consumer.services import Services
    from consumer.store.reading.listings import Sort

WAYS = [(0, 1, 0), (0, 1, 3), (0, 3, 0), (0, 1, 5000), (0, 5000, 5000), (1, 1, 0), (20, 5000, 5000)]
"""How many stems are merged by version, how much is looked through for a query, and how many are few: a page is found
by stems, near, by looks at what matches, or by going on."""

JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
RELEASE_ID = 2**52 + 7


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    engine = connect(database_url, application_name="tests")
    tables.metadata.create_all(engine)
    with engine.connect() as connection:
        add(connection, tables.organization, {"id": 1, "slug": "acme", "date_added": JANUARY})
        add(
            connection,
            tables.project,
            {"id": 11, "organization_id": 1, "slug": "web", "date_added": JANUARY},
            {"id": 12, "organization_id": 1, "slug": "api", "date_added": JANUARY},
        )
        yield connection
    engine.dispose()


def add(connection: Connection, table: Table, *rows: dict[str, Any]) -> None:
    connection.execute(insert(table), list(rows))


def add_release(connection: Connection, id_: int, version: str, **columns: Any) -> None:
    parsed = dict(zip(SEMVER_COLUMNS.split(", "), parse_release_version(version), strict=True))
    row = {"id": id_, "organization_id": 1, "version": version, "date_added": JANUARY, "status": 0} | parsed | columns
    add(connection, tables.release, row)
    add_to_project(connection, row, 11)


def add_to_project(connection: Connection, release: dict[str, Any], project_id: int) -> None:
    add(
        connection,
        tables.release_project,
        {"project_id": project_id, "date_added": release["date_added"]} | listed(release),
    )


def listed(release: dict[str, Any]) -> dict[str, Any]:
    """What the tables of listings repeat of a release."""
    return {
        "release_id": release["id"],
        "status": release["status"],
        "listed_at": release.get("date_released") or release["date_added"],
        "folded_version": folded_version(release["version"]),
        "precedence": precedence(parse_release_version(release["version"])),
    }


def add_log(connection: Connection) -> None:
    """A release with three commits in two repositories, by two authors and by nobody."""
    add_release(
        connection,
        RELEASE_ID,
        "web@1.0",
        ref="main",
        url="https://example.com/1.0",
        owner="ann@example.com",
        date_started=JANUARY,
        date_released=JUNE,
        commit_count=3,
        last_commit_id=101,
        authors=[32, 31],
        total_deploys=3,
    )
    add_to_project(connection, {"id": RELEASE_ID, "version": "web@1.0", "status": 0, "date_added": JUNE}, 12)
    add(
        connection,
        tables.environment,
        {"id": 71, "organization_id": 1, "name": "production", "date_added": JANUARY},
        {"id": 72, "organization_id": 1, "name": "", "date_added": JANUARY},
    )
    deploy = {"release_id": RELEASE_ID, "environment_id": 71, "date_finished": JUNE, "project_ids": [12]}
    add(connection, tables.deploy, deploy | {"id": 81, "date_finished": JANUARY})
    add(connection, tables.deploy, deploy | {"id": 82, "environment_id": 72})
    named = {"name": "blue", "url": "https://example.com/blue", "date_started": JANUARY}
    add(connection, tables.deploy, deploy | {"id": 83} | named)
    add(
        connection,
        tables.repository,
        {"id": 21, "organization_id": 1, "name": "acme/web"},
        {"id": 22, "organization_id": 1, "name": "acme/api"},
    )
    add(
        connection,
        tables.commit_author,
        {"id": 31, "organization_id": 1, "email": "ann@example.com", "name": "Ann"},
        {"id": 32, "organization_id": 1, "email": "bob@example.com", "name": None},
    )
    add(
        connection,
        tables.commit,
        {"id": 101, "repository_id": 21, "key": "c3", "author_id": 32, "date_added": JUNE, "message": "Fixes WEB-2"},
        {"id": 102, "repository_id": 22, "key": "c2", "author_id": 31, "date_added": JANUARY, "message": None},
        {"id": 103, "repository_id": 21, "key": "c1", "author_id": None, "date_added": JANUARY, "message": ""},
    )
    add(
        connection,
        tables.release_commit,
        *({"release_id": RELEASE_ID, "position": position, "commit_id": 101 + position} for position in range(3)),
    )
    add(
        connection,
        tables.commit_file_change,
        {"commit_id": 101, "filename": "b.py", "type": "M"},
        {"commit_id": 101, "filename": "a.py", "type": "A"},
    )
    add(
        connection,
        tables.release_head_commit,
        {"release_id": RELEASE_ID, "repository_id": 21, "commit_id": 101},
        {"release_id": RELEASE_ID, "repository_id": 22, "commit_id": 102},
    )


def add_group(connection: Connection, id_: int, short_id: str, **columns: Any) -> None:
    row = {"id": id_, "organization_id": 1, "project_id": 11, "short_id": short_id, "date_added": JANUARY}
    add(connection, tables.issue_group, row | columns)


def add_resolution(connection: Connection, group_id: int, version: str, **columns: Any) -> None:
    row = {"group_id": group_id, "version": version, "type": 0, "status": 1, "date_added": JANUARY}
    add(connection, tables.group_resolution, row | columns)


def add_dead_letters(connection: Connection, count: int) -> None:
    offset_row = {
        "id": 1,
        "consumer_group": "release-consumer",
        "cluster_id": "c",
        "topic_id": "t",
        "topic": "release-events",
        "partition": 0,
        "stream": uuid4(),
        "first_offset": 0,
        "next_offset": count,
        "frontier": count,
        "owner": "me",
        "updated_at": JANUARY,
    }
    add(connection, tables.consumer_offset, offset_row)
    rows = [
        {
            "id": number,
            "offset_id": 1,
            "topic": "release-events",
            "partition": 0,
            "offset": number,
            "record_key": b"acme:1.0",
            "headers": [["trace", "YWJj"], ["empty", None]],
            "value": b"\xff\xfe" if number == 1 else b"{}",
            "reason": "schema" if number % 2 else "not-json",
            "errors": [{"path": "$.data", "message": "is required"}],
            "event_type": "commits-pushed",
            "dead_at": JUNE,
            "arrived_at": JUNE,
        }
        for number in range(1, count + 1)
    ]
    add(connection, tables.dead_letter, *rows)


def count_statements(connection: Connection) -> list[str]:
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    return statements


def test_a_release_as_it_is_shown(connection: Connection) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2", status=1)
    add_group(connection, 42, "WEB-10", status=1)
    add_group(connection, 43, "WEB-3", status=0)
    add_group(connection, 44, "WEB-4", status=1)
    add_group(connection, 45, "WEB-5", status=1)
    add_resolution(connection, 41, "web@1.0")
    add_resolution(connection, 42, "web@1.0")
    add_resolution(connection, 43, "web@1.0")
    add_resolution(connection, 44, "web@1.0", type=1, status=0)
    add_resolution(connection, 45, "web@2.0")

    assert show_release(connection, "acme", "web@1.0") == {
        "organization": "acme",
        "id": RELEASE_ID,
        "version": "web@1.0",
        "versionInfo": {
            "package": "web",
            "version": {
                "raw": "1.0",
                "major": 1,
                "minor": 0,
                "patch": 0,
                "revision": 0,
                "pre": None,
                "buildCode": None,
            },
        },
        "status": "open",
        "ref": "main",
        "url": "https://example.com/1.0",
        "dateCreated": "2024-01-01T00:00:00Z",
        "dateStarted": "2024-01-01T00:00:00Z",
        "dateReleased": "2024-06-01T12:30:15.250000Z",
        "owner": "ann@example.com",
        "commitCount": 3,
        "lastCommit": "c3",
        "authors": [{"name": None, "email": "bob@example.com"}, {"name": "Ann", "email": "ann@example.com"}],
        "projects": ["api", "web"],
        "commits": [
            {
                "id": "c3",
                "repository": "acme/web",
                "message": "Fixes WEB-2",
                "author": {"name": None, "email": "bob@example.com"},
                "dateCreated": "2024-06-01T12:30:15.250000Z",
                "patchSet": [{"path": "a.py", "type": "A"}, {"path": "b.py", "type": "M"}],
            },
            {
                "id": "c2",
                "repository": "acme/api",
                "message": None,
                "author": {"name": "Ann", "email": "ann@example.com"},
                "dateCreated": "2024-01-01T00:00:00Z",
                "patchSet": [],
            },
            {
                "id": "c1",
                "repository": "acme/web",
                "message": "",
                "author": None,
                "dateCreated": "2024-01-01T00:00:00Z",
                "patchSet": [],
            },
        ],
        "headCommits": [{"repository": "acme/api", "commit": "c2"}, {"repository": "acme/web", "commit": "c3"}],
        "deployCount": 3,
        "deploys": [
            {
                "environment": "production",
                "name": "blue",
                "url": "https://example.com/blue",
                "dateStarted": "2024-01-01T00:00:00Z",
                "dateFinished": "2024-06-01T12:30:15.250000Z",
            },
            {
                "environment": "",
                "name": None,
                "url": None,
                "dateStarted": None,
                "dateFinished": "2024-06-01T12:30:15.250000Z",
            },
            {
                "environment": "production",
                "name": None,
                "url": None,
                "dateStarted": None,
                "dateFinished": "2024-01-01T00:00:00Z",
            },
        ],
        "resolvedGroups": ["WEB-10", "WEB-2"],
    }


def test_a_release_without_anything(connection: Connection) -> None:
    add_release(connection, 5, "bare")
    release = show_release(connection, "acme", "bare")
    assert release["lastCommit"] is None
    assert [release[name] for name in ("dateReleased", "dateStarted", "owner", "versionInfo")] == [None] * 4
    assert [release[name] for name in ("authors", "commits", "headCommits", "deploys", "resolvedGroups")] == [[]] * 5


def test_a_listed_release_is_the_shown_one_without_log_and_groups(connection: Connection) -> None:
    add_log(connection)
    shown = show_release(connection, "acme", "web@1.0")
    del shown["commits"], shown["resolvedGroups"]
    assert list_releases(connection, "acme", "web") == {"releases": [shown], "nextCursor": None}


def versions(page: dict[str, Any]) -> list[str]:
    return [release["version"] for release in page["releases"]]


def test_releases_come_newest_first_by_release_date_or_else_creation(connection: Connection) -> None:
    add_release(connection, 1, "released-late", date_released=JUNE)
    add_release(connection, 2, "created-early")
    add_release(connection, 3, "created-early-too")
    add_release(connection, 4, "created-later", date_added=JUNE.replace(month=3))
    expected = ["released-late", "created-later", "created-early-too", "created-early"]
    assert versions(list_releases(connection, "acme", "web")) == expected
    assert versions(list_releases(connection, "acme", "api")) == []


def test_pages_are_stable_while_releases_come(connection: Connection) -> None:
    for number in range(1, 6):
        add_release(connection, number, f"v{number}")
    first = list_releases(connection, "acme", "web", limit=2)
    add_release(connection, 6, "v6")
    second = list_releases(connection, "acme", "web", limit=2, cursor=first["nextCursor"])
    third = list_releases(connection, "acme", "web", limit=2, cursor=second["nextCursor"])
    assert [versions(page) for page in (first, second, third)] == [["v5", "v4"], ["v3", "v2"], ["v1"]]
    assert third["nextCursor"] is None


def test_a_page_that_ends_with_the_list_has_no_cursor(connection: Connection) -> None:
    add_release(connection, 1, "v1")
    assert list_releases(connection, "acme", "web", limit=1)["nextCursor"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("WEB@1", ["Web@1.0"]),
        ("web", ["Web@1.0", "web_2"]),
        ("web_", ["web_2"]),
        ("web%", []),
        ("1.0", []),
        ("back\\", ["back\\slash"]),
        ("STRASSE", ["Straße\U0010ffff1"]),
        ("straße\U0010ffff", ["Straße\U0010ffff1"]),
        ("ΟΔΟΣ", ["ΟΔΟΣ-1"]),
        ("", ["ΟΔΟΣ-1", "Straße\U0010ffff1", "back\\slash", "Web@1.0", "web_2"]),
    ],
)
def test_a_query_is_the_start_of_a_version_in_any_case(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, query: str, expected: list[str]
) -> None:
    for id_, version in enumerate(["web_2", "Web@1.0", "back\\slash", "Straße\U0010ffff1", "ΟΔΟΣ-1"]):
        add_release(connection, id_, version)
    for ways in WAYS:
        look(monkeypatch, *ways)
        assert paged(connection, query=query, limit=1) == expected


def look(monkeypatch: pytest.MonkeyPatch, stems: int, window: int, few: int) -> None:
    monkeypatch.setattr(listings, "STEMS", stems)
    monkeypatch.setattr(listings, "WINDOW", window)
    monkeypatch.setattr(listings, "FEW", few)


def test_archived_releases_are_hidden_unless_asked_for(connection: Connection) -> None:
    add_release(connection, 1, "old", status=1)
    add_release(connection, 2, "new")
    assert versions(list_releases(connection, "acme", "web")) == ["new"]
    assert versions(list_releases(connection, "acme", "web", status="archived")) == ["old"]
    assert versions(list_releases(connection, "acme", "web", status="all")) == ["new", "old"]


PRECEDENCE = [
    *(
        "a@9223372036854775807.0",
        "a@10.0",
        "b@2.0",
        "a@1.0.0.1",
        "b@1.0.0+7",
        "a@1.0.0",
        "a@1.0.0-x",
        "a@1.0.0-rc.1",
        "a@1.0.0-beta.11",
        "a@1.0.0-beta.2",
    ),
    *("a@1.0.0-beta", "a@1.0.0-alpha.beta", "a@1.0.0-alpha.1-", "a@1.0.0-alpha.20", "a@1.0.0-alpha.3", "a@1.0.0-alpha"),
    *("a@1.0.0-1234567890123", "a@1.0.0-12", "a@1.0.0-9", "a@0.9", "zzz", "9.0.0"),
]


def test_semantic_versions_come_by_precedence_and_the_rest_last(connection: Connection) -> None:
    numbers = {"zzz": 30, "9.0.0": 29, "b@1.0.0+7": 28, "a@1.0.0": 27}
    for number, version in enumerate(sorted(PRECEDENCE, key=lambda version: version[::-1]), start=1):
        add_release(connection, numbers.get(version, number), version, status=number % 2)
    assert versions(list_releases(connection, "acme", "web", status="all", sort="semver")) == PRECEDENCE
    assert paged(connection, status="all", sort="semver", limit=3) == PRECEDENCE
    of_a = [version for version in PRECEDENCE if version.startswith("a@1")]
    assert paged(connection, status="all", sort="semver", limit=3, query="A@1") == of_a


def paged(connection: Connection, **listing: Any) -> list[str]:
    """The versions of all pages."""
    found: list[str] = []
    cursor = None
    while True:
        page = list_releases(connection, "acme", "web", **listing, cursor=cursor)
        found += versions(page)
        cursor = page["nextCursor"]
        if cursor is None:
            return found


NUMBERS = ["0", "00", "01", "1", "2", "02", "10", "12", "20", "120", "9223372036854775807", "9223372036854775808"]
STAGES = ["", "-rc.1", "rc1", "+7", "-0", " ", "@1", ".", "-"]


def test_every_start_of_a_version_finds_what_starts_like_it(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(2)
    made = {
        random.choice(["w@", "W@", "@w/x@", "w@@", "w", " w@", "1@"])
        + ".".join(random.choices(NUMBERS, k=random.choice([0, 1, 2, 2, 3, 4, 5])))
        + random.choice(STAGES)
        for _ in range(400)
    } - {""}
    for number, version in enumerate(sorted(made, key=lambda _: random.random()), start=1):
        add_release(connection, number, version, status=number % 2)
    every: dict[Sort, list[str]] = {
        "date": paged(connection, status="all"),
        "semver": paged(connection, status="all", sort="semver"),
    }
    assert set(every["semver"]) == made
    starts = {version[: random.randint(1, len(version))].swapcase() for version in sorted(made)[::3]}
    for stems, few in [(1000, 0), (0, 1000), (0, 50), (0, 10), (0, 0)]:
        look(monkeypatch, stems, 0, few)
        for start in starts:
            for sort, releases in every.items():
                found = [version for version in releases if version.casefold().startswith(start.casefold())]
                listing: dict[str, Any] = {"query": start, "sort": sort, "status": "all", "limit": 7}
                page = list_releases(connection, "acme", "web", **listing)
                assert versions(page) == found[:7], start
                if page["nextCursor"] is not None:
                    page = list_releases(connection, "acme", "web", **listing, cursor=page["nextCursor"])
                assert versions(page) == (found[7:14] or found[:7]), start


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("sort", ["date", "semver"])
def test_what_is_found_does_not_depend_on_how_much_is_looked_through_first(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, ways: tuple[int, int, int], sort: Sort
) -> None:
    look(monkeypatch, *ways)
    add(connection, tables.environment, {"id": 71, "organization_id": 1, "name": "production", "date_added": JANUARY})
    expected: dict[str | None, list[str]] = {None: [], "production": []}
    for number in range(1, 31):
        version = f"{'web' if number % 3 else 'app'}@1.{number}"
        add_release(connection, number, version)
        if number % 5 == 0:
            connection.execute(delete(tables.release_project).where(tables.release_project.c.release_id == number))
            continue
        expected[None].insert(0, version)
        if number % 2:
            release = {"id": number, "version": version, "status": 0, "date_added": JANUARY}
            seen = {"project_id": 11, "environment_id": 71, "first_seen": JUNE, "last_seen": JUNE}
            add(connection, tables.release_environment, seen | listed(release))
            expected["production"].insert(0, version)
    for environment, every in expected.items():
        for query in (None, "app@", "web@1.1", "web@1.7", "x"):
            found = [version for version in every if version.startswith(query or "")]
            assert paged(connection, query=query, environment=environment, sort=sort, limit=2) == found


def test_an_environment_is_looked_up_once_and_an_unknown_one_is_empty(connection: Connection) -> None:
    add_log(connection)
    statements = count_statements(connection)
    page = list_releases(connection, "acme", "web", environment="nowhere")
    assert page == {"releases": [], "nextCursor": None}
    assert len(statements) == 1
    assert versions(list_releases(connection, "acme", "web", environment="production")) == []
    assert sum("JOIN environment" in statement and "organization.slug" in statement for statement in statements) == 2


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[DirectApplier]:
    direct = DirectApplier(database_url, services.redis_url)
    yield direct
    direct.close()


def cloudevent(type_: str, /, **data: Any) -> dict[str, Any]:
    required = {"specversion": "1.0", "id": uuid4().hex, "source": "/tests", "type": type_}
    return required | {"data": {"organization": "acme"} | data}


def test_listings_follow_what_events_change(applier: DirectApplier) -> None:
    def shown(project: str, **listing: Any) -> list[str]:
        with applier.engine.connect() as connection:
            return versions(list_releases(connection, "acme", project, **listing))

    applier.apply(
        [
            *(cloudevent("release-created", version=f"w@{n}.0", projects=["web", "api"]) for n in (1, 2, 3)),
            cloudevent("release-deployed", version="w@1.0", environment="production"),
            cloudevent("release-deployed", version="w@2.0", environment="production", projects=["web"]),
            cloudevent("release-created", version="w@4.0", projects=["api"]),
        ]
    )
    assert shown("web") == ["w@3.0", "w@2.0", "w@1.0"]
    assert shown("web", environment="production") == ["w@2.0", "w@1.0"]
    assert shown("api", environment="production") == ["w@1.0"]

    applier.apply([cloudevent("release-updated", version="w@1.0", dateReleased="2100-01-01T00:00:00Z")])
    for listing in ({}, {"query": "W@"}):
        assert shown("web", **listing) == ["w@1.0", "w@3.0", "w@2.0"]
        assert shown("api", **listing) == ["w@1.0", "w@4.0", "w@3.0", "w@2.0"]
        assert shown("web", **listing, environment="production") == ["w@1.0", "w@2.0"]
        assert shown("web", **listing, sort="semver") == ["w@3.0", "w@2.0", "w@1.0"]

    applier.apply(
        [
            cloudevent("release-updated", version="w@2.0", status="archived"),
            cloudevent("release-created", version="w@4.0", projects=["web"], status="archived"),
        ]
    )
    for sort in ("date", "semver"):
        assert "w@2.0" not in shown("web", sort=sort) + shown("web", sort=sort, environment="production")
        assert shown("web", sort=sort, status="archived") == ["w@4.0", "w@2.0"]
        assert shown("api", sort=sort, status="archived") == ["w@4.0", "w@2.0"]
        assert shown("web", sort=sort, status="archived", environment="production") == ["w@2.0"]

    applier.apply(
        [
            cloudevent("release-created", version="w@2.0", projects=["web"], status="open"),
            cloudevent("release-deleted", version="w@1.0"),
        ]
    )
    for sort in ("date", "semver"):
        assert shown("web", sort=sort) == ["w@3.0", "w@2.0"]
        assert shown("web", sort=sort, environment="production") == ["w@2.0"]
        assert shown("api", sort=sort, environment="production", status="all") == []
        assert shown("api", sort=sort, status="all") == ["w@4.0", "w@3.0", "w@2.0"]


def test_an_organization_as_events_describe_it(applier: DirectApplier, database_url: str, tmp_path: Path) -> None:
    content = picture()
    details = {"name": "Acme", "defaultRole": "admin", "projectRateLimit": 80, "safeFields": ["card"]}
    flags = {"require2FA": True, "allowMemberInvite": False}
    avatar = {"avatarType": "upload", "avatar": b64encode(content).decode(), "color": "#123abc"}
    applier.apply([cloudevent("organization-updated", **details, **flags, **avatar)])

    shown = orjson.loads(run(database_url, "organizations", "show", "acme", "--json").stdout)
    assert (shown["slug"], shown["name"], shown["defaultRole"]) == ("acme", "Acme", "admin")
    assert {field: value for field, value in shown["options"].items() if value != OPTIONS[field].default} == {
        "projectRateLimit": 80,
        "safeFields": ["card"],
    }
    assert shown["options"].keys() == OPTIONS.keys()
    assert {name: shown["flags"][name] for name in flags} == flags
    ident = shown["avatar"].pop("ident")
    assert len(ident) == 32
    assert shown["avatar"] == {"type": "upload", "fileName": "acme.png", "color": "#123abc"}

    file = tmp_path / "acme.png"
    assert run(database_url, "organizations", "avatar", "acme", "--output", str(file)).exit_code == 0
    assert file.read_bytes() == content
    assert run(database_url, "organizations", "avatar", "acme").stdout_bytes == content


def test_a_picture_that_is_not_there_leaves_no_file(connection: Connection, database_url: str, tmp_path: Path) -> None:
    connection.commit()
    file = tmp_path / "acme.png"
    result = run(database_url, "organizations", "avatar", "acme", "--output", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: organization acme has no picture; publish organization-updated with avatar\n"
    assert not file.exists()


def test_the_number_of_statements_does_not_grow(connection: Connection) -> None:
    add_log(connection)
    statements = count_statements(connection)
    list_releases(connection, "acme", "web")
    listing = len(statements)
    show_release(connection, "acme", "web@1.0")
    showing = len(statements) - listing
    for number in range(1, 30):
        add_release(connection, number, f"v{number}", authors=[31])
    statements.clear()
    list_releases(connection, "acme", "web")
    assert (len(statements), showing) == (listing, 7)


@pytest.mark.parametrize("cursor", ["", "abc", "!", "MjAyNA", "MjAyNC0wMS0wMVQwMDowMDowMHwx", "é"])
def test_a_broken_cursor_is_told(connection: Connection, cursor: str) -> None:
    with pytest.raises(UsageError, match="leave --cursor out"):
        list_releases(connection, "acme", "web", cursor=cursor)


@pytest.mark.parametrize(
    "other",
    [
        {"project": "api"},
        {"query": "v"},
        {"environment": "production"},
        {"status": "archived"},
        {"sort": "semver"},
    ],
)
def test_a_cursor_of_another_listing_is_refused(connection: Connection, other: dict[str, Any]) -> None:
    add(connection, tables.environment, {"id": 71, "organization_id": 1, "name": "production", "date_added": JANUARY})
    for number in (1, 2):
        add_release(connection, number, f"v{number}")
    cursor = list_releases(connection, "acme", "web", limit=1)["nextCursor"]
    assert versions(list_releases(connection, "acme", "web", limit=1, cursor=cursor)) == ["v1"]
    with pytest.raises(UsageError, match="not come from this listing"):
        list_releases(connection, "acme", **({"project": "web", "cursor": cursor} | other))


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_up_to_a_hundred_items(connection: Connection, limit: int) -> None:
    with pytest.raises(UsageError, match="1 to 100"):
        list_releases(connection, "acme", "web", limit=limit)


def test_what_is_not_there_is_told(connection: Connection) -> None:
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        show_release(connection, "nobody", "1.0")
    with pytest.raises(UsageError, match=r"acme has no release '1\.0'"):
        show_release(connection, "acme", "1.0")
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        list_releases(connection, "nobody", "web")
    with pytest.raises(UsageError, match="acme has no project 'ios'"):
        list_releases(connection, "acme", "ios")
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        show_group(connection, "nobody", "WEB-1")
    with pytest.raises(UsageError, match="acme has no group 'WEB-1'"):
        show_group(connection, "acme", "WEB-1")
    with pytest.raises(UsageError, match="no dead letter 99"):
        show_dead_letter(connection, 99)


def test_a_group_as_it_is_shown(connection: Connection) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2", title="It breaks", status=1)
    add_resolution(connection, 41, "web@1.0", actor_name="Ann", actor_email="ann@example.com")
    add(connection, tables.group_inbox, {"group_id": 41, "reason": 2, "date_added": JANUARY})
    pull_request = {"id": 51, "organization_id": 1, "repository_id": 21, "key": "7", "merge_commit_sha": "c3"}
    add(connection, tables.pull_request, pull_request)
    add(connection, tables.external_issue, {"id": 61, "organization_id": 1, "provider": "jira", "key": "OPS-1"})
    linked = [(3, 61, 2), (2, 51, 1), (1, 101, 1), (1, 102, 1)]
    for id_, (linked_type, linked_id, relationship) in enumerate(linked):
        link = {"id": id_, "group_id": 41, "linked_type": linked_type, "linked_id": linked_id}
        add(connection, tables.group_link, link | {"relationship": relationship})
    for id_, (name, time) in enumerate([("activity.group.resolved", JUNE), ("activity.group.reviewed", JANUARY)]):
        row = {"id": id_, "event_id": uuid4(), "type": name, "organization_id": 1, "group_id": 41, "key": "acme:WEB-2"}
        row |= {"offset_id": 1, "offset": id_}
        add(connection, tables.activity, row | {"cloudevent": {"data": {"number": id_}}, "date_added": time})

    assert show_group(connection, "acme", "web-2") == {
        "organization": "acme",
        "project": "web",
        "shortId": "WEB-2",
        "title": "It breaks",
        "status": "resolved",
        "inbox": "regression",
        "resolution": {
            "release": "web@1.0",
            "type": "in_release",
            "status": "resolved",
            "actor": {"name": "Ann", "email": "ann@example.com"},
        },
        "links": [
            {"type": "commit", "id": "c2", "relationship": "resolves"},
            {"type": "commit", "id": "c3", "relationship": "resolves"},
            {"type": "pull_request", "id": "7", "relationship": "resolves"},
            {"type": "issue", "id": "OPS-1", "relationship": "references"},
        ],
        "activity": [
            {"type": "activity.group.reviewed", "data": {"number": 1}, "dateCreated": "2024-01-01T00:00:00Z"},
            {"type": "activity.group.resolved", "data": {"number": 0}, "dateCreated": "2024-06-01T12:30:15.250000Z"},
        ],
    }


def test_a_group_that_waits_for_nobody(connection: Connection) -> None:
    add_group(connection, 41, "WEB-2")
    group = show_group(connection, "acme", "WEB-2")
    assert (group["status"], group["inbox"], group["resolution"], group["links"]) == ("unresolved", None, None, [])


def test_a_resolution_without_an_actor(connection: Connection) -> None:
    add_group(connection, 41, "WEB-2", status=1)
    add_resolution(connection, 41, "web@1.0", type=1, status=0)
    resolution = {"release": "web@1.0", "type": "in_next_release", "status": "pending", "actor": None}
    assert show_group(connection, "acme", "WEB-2")["resolution"] == resolution


def test_a_dead_letter_as_it_is_shown(connection: Connection) -> None:
    add_dead_letters(connection, 2)
    assert show_dead_letter(connection, 2) == {
        "id": 2,
        "status": "dead",
        "topic": "release-events",
        "partition": 0,
        "offset": 2,
        "key": "acme:1.0",
        "keyEncoding": "utf-8",
        "headers": [["trace", "abc"], ["empty", None]],
        "headerEncodings": ["utf-8", None],
        "value": "{}",
        "valueEncoding": "utf-8",
        "reason": "not-json",
        "errors": [{"path": "$.data", "message": "is required"}],
        "eventType": "commits-pushed",
        "arrivedAt": "2024-06-01T12:30:15.250000Z",
        "deadAt": "2024-06-01T12:30:15.250000Z",
        "settledAt": None,
    }
    binary = show_dead_letter(connection, 1)
    assert (binary["value"], binary["valueEncoding"]) == ("//4=", "base64")


def test_dead_letters_are_listed_newest_first(connection: Connection) -> None:
    add_dead_letters(connection, 5)

    def ids(page: dict[str, Any]) -> list[int]:
        return [dead_letter["id"] for dead_letter in page["deadLetters"]]

    first = list_dead_letters(connection, limit=3)
    assert ids(first) == [5, 4, 3]
    assert ids(list_dead_letters(connection, limit=3, cursor=first["nextCursor"])) == [2, 1]
    assert ids(list_dead_letters(connection, reason="not-json")) == [4, 2]
    assert ids(list_dead_letters(connection, event_type="release-created")) == []
    # Values may be large: a page tells their sizes only.
    listed, shown = first["deadLetters"][1], show_dead_letter(connection, 4)
    assert listed.pop("valueBytes") == 2
    assert {"value": shown.pop("value"), "valueEncoding": shown.pop("valueEncoding")} == {
        "value": "{}",
        "valueEncoding": "utf-8",
    }
    assert listed == shown


def test_an_organization_that_nobody_described(connection: Connection) -> None:
    organization = show_organization(connection, "acme")
    assert organization["name"] is None
    assert organization["defaultRole"] == "member"
    assert organization["options"] == {field: option.default for field, option in OPTIONS.items()}
    assert organization["flags"] == {field: flag.read(DEFAULT_FLAGS) for field, flag in FLAGS.items()}
    assert organization["avatar"] == {
        "type": "letter_avatar",
        "ident": None,
        "fileName": None,
        "color": letter_color("acme"),
    }
    with pytest.raises(UsageError, match="acme has no picture"):
        read_picture(connection, "acme")
    for read in (show_organization, read_picture):
        with pytest.raises(UsageError, match="no organization 'nobody'"):
            read(connection, "nobody")


def test_a_letter_avatar_has_the_colour_that_its_slug_adds_up_to() -> None:
    assert letter_color("acme") == "#57b1be"  # 97 + 99 + 109 + 101 = 406, 10 of 12
    assert letter_color("acem") == letter_color("acme") != letter_color("acmf")


def run(database_url: str, *arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, env={"RELEASE_CONSUMER_DATABASE_URL": database_url})


def test_commands_print_the_same_as_json(connection: Connection, database_url: str) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2")
    add_dead_letters(connection, 1)
    connection.commit()
    organization = ("--organization", "acme")
    for arguments, expected in [
        (("releases", "show", *organization, "web@1.0"), show_release(connection, "acme", "web@1.0")),
        (("releases", "list", *organization, "--project", "web"), list_releases(connection, "acme", "web")),
        (("organizations", "show", "acme"), show_organization(connection, "acme")),
        (("groups", "show", *organization, "WEB-2"), show_group(connection, "acme", "WEB-2")),
        (("dead-letters", "list"), list_dead_letters(connection)),
        (("dead-letters", "show", "1"), show_dead_letter(connection, 1)),
    ]:
        assert orjson.loads(run(database_url, *arguments, "--json").stdout) == expected
        for_people = run(database_url, *arguments)
        assert for_people.exit_code == 0
        assert for_people.stdout


def test_a_command_tells_what_is_not_there_in_one_line(connection: Connection, database_url: str) -> None:
    connection.commit()
    result = run(database_url, "releases", "show", "--organization", "acme", "9.9", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: organization acme has no release '9.9'; ")
    assert result.stderr.count("\n") == 1


def test_a_database_that_is_not_set_up(database_url: str) -> None:
    result = run(database_url, "dead-letters", "list")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: the database is not set up; run `release-consumer setup`\n",
    )


@pytest.fixture
def activity_topic(services: Services) -> Iterator[str]:
    administrator = AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers})
    topic = f"activity-{uuid4().hex}"
    administrator.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    yield topic
    administrator.delete_topics([topic])[topic].result()


def announce(services: Services, topic: str) -> None:
    """Four activities in a transaction, then one in a transaction that is aborted."""
    producer = Producer({"bootstrap.servers": services.kafka_bootstrap_servers, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(4):
        name = "activity.release.created" if number % 2 else "activity.group.resolved"
        activity = {"specversion": "1.0", "id": str(number), "source": "tests", "type": name, "data": {}}
        producer.produce(topic, orjson.dumps(activity), partition=number // 2)
    producer.commit_transaction()
    producer.begin_transaction()
    producer.produce(topic, b"{}", partition=0)
    producer.flush()
    producer.abort_transaction()


def tail(services: Services, topic: str, *options: str) -> Result:
    environment = {
        "RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS": services.kafka_bootstrap_servers,
        "RELEASE_CONSUMER_TOPICS__ACTIVITY": topic,
    }
    return CliRunner().invoke(root, ["activity", "tail", "--until-caught-up", *options], env=environment)


def test_a_tail_until_caught_up_ends_after_what_was_committed(services: Services, activity_topic: str) -> None:
    announce(services, activity_topic)
    every = tail(services, activity_topic, "--from-beginning", "--json")
    assert every.exit_code == 0
    assert sorted(orjson.loads(line)["id"] for line in every.stdout.splitlines()) == ["0", "1", "2", "3"]
    some = tail(services, activity_topic, "--from-beginning", "--json", "--type", "activity.group.resolved")
    assert sorted(orjson.loads(line)["id"] for line in some.stdout.splitlines()) == ["0", "2"]
    for_people = tail(services, activity_topic, "--from-beginning")
    assert for_people.stdout.count("activity.release.created") == 2
    assert tail(services, activity_topic).stdout == ""


def test_a_tail_of_a_topic_that_is_missing(services: Services) -> None:
    result = tail(services, "activity-of-nobody")
    assert result.exit_code == 1
    assert result.stderr == "Error: Kafka has no topic 'activity-of-nobody'; run `release-consumer setup`\n"
