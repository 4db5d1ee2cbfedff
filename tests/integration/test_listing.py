"""Which releases a page of a listing has, however it is found."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete

from consumer.errors import UsageError
from consumer.store import tables
from consumer.store.reading import listings
from consumer.store.reading.releases import list_releases
from tests.support.direct import DirectApplier, cloudevent
from tests.support.rows import JANUARY, JUNE, add, add_log, add_release, count_statements, listed, seeded, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from consumer.services import Services
    from consumer.store.reading.listings import Sort

WAYS = [(0, 1, 0), (0, 1, 3), (0, 3, 0), (0, 1, 5000), (0, 5000, 5000), (1, 1, 0), (20, 5000, 5000)]
"""How many stems are merged by version, how much is looked through for a query, and how many are few: a page is found
by stems, near, by looks at what matches, or by going on."""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with seeded(database_url) as connection:
        yield connection


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
