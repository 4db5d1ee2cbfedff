"""How pages of a project with many releases are found: by ranges of indexes, wherever in the list they are.

So is the release that came next after another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, event, text
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from consumer.store import tables
from consumer.store.database import connect, sql
from consumer.store.listing_keys import folded_version, precedence
from consumer.store.reading.cursors import encode_cursor
from consumer.store.reading.listings import FEW, LOOKS, STEMS, WINDOW, Listing
from consumer.store.reading.releases import list_releases
from consumer.store.semver import parse_release_version
from tests.support.product import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from consumer.services import Services

pytestmark = pytest.mark.timeout(300)  # the rows are filled in before the first test

RELEASES = 1_000_000
BUILDS = 100_000
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
PAGE = 100
FILLED = (tables.release, tables.release_project, tables.release_environment)
NAMES = {table.name for table in FILLED}

# Every tenth is archived, every fiftieth no semantic version; web has all, api every hundredth; every fifth of web was
# seen in production, every thousandth in staging. The order of versions is that of time, as it is in life; the older
# half is of another package, so that all that match it are far from the first page, and more than a few. Those of app
# are builds of one version.
FILL = """
INSERT INTO organization (id, slug, date_added) VALUES (1, 'acme', now());
INSERT INTO project (id, organization_id, slug, date_added) VALUES
    (11, 1, 'web', now()), (12, 1, 'api', now()), (13, 1, 'app', now());
INSERT INTO environment (id, organization_id, name, date_added) VALUES
    (21, 1, 'production', now()), (22, 1, 'staging', now());
CREATE FUNCTION number(n bigint) RETURNS text LANGUAGE sql IMMUTABLE RETURN chr(96 + length(n::text)) || n;
CREATE TEMP TABLE made AS
SELECT
    n AS id, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END AS status,
    timestamptz '2020-01-01' + n * interval '1 minute' AS date_added, n % 50 <> 0 AS semantic,
    CASE
        WHEN n % 50 = 0 THEN 'Build-' || n
        ELSE CASE WHEN n <= 500000 THEN 'Old@' ELSE 'Web@' END || n / 10000 || '.' || n / 100 % 100 || '.' || n % 100
            || CASE WHEN n % 7 = 0 THEN '-rc.1' ELSE '' END
    END AS version,
    CASE
        WHEN n % 50 = 0 THEN ''
        ELSE number(n / 10000) || number(n / 100 % 100) || number(n % 100) || 'a0'
            || CASE WHEN n % 7 = 0 THEN 'rc !0011' ELSE '~' END
    END AS precedence
FROM generate_series(1, {releases}) AS n;
INSERT INTO release (id, organization_id, version, status, date_added)
SELECT id, 1, version, status, date_added FROM made;
INSERT INTO release_project (release_id, project_id, date_added, status, listed_at, folded_version, precedence)
SELECT id, project_id, date_added, status, date_added, lower(version), precedence
FROM made, (VALUES (11, 1), (12, 100)) AS project (project_id, every)
WHERE id % every = 1 % every;
INSERT INTO release (id, organization_id, version, status, date_added)
SELECT {releases} + n, 1, 'App@1.0.0+' || n, 0, timestamptz '2020-01-01' + n * interval '1 minute'
FROM generate_series(1, {builds}) AS n;
INSERT INTO release_project (release_id, project_id, date_added, status, listed_at, folded_version, precedence)
SELECT id, 13, date_added, status, date_added, lower(version), 'a1a0a0a0~' FROM release WHERE id > {releases};
INSERT INTO release_environment (
    release_id, project_id, environment_id, status, listed_at, folded_version, precedence, first_seen, last_seen
)
SELECT id, 11, environment_id, status, date_added, lower(version), precedence, date_added, date_added
FROM made, (VALUES (21, 5), (22, 1000)) AS environment (environment_id, every)
WHERE id % every = 1;
"""


@pytest.fixture(scope="module")
def connection(services: Services) -> Iterator[Connection]:
    with own_database(services.database_url) as database_url:
        engine = connect(database_url, application_name="tests")
        with engine.begin() as connection:
            fill(connection)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
        with engine.connect() as connection:
            yield connection
        engine.dispose()


def fill(connection: Connection) -> None:
    """Make the tables and their rows: not logged, and indexed when all rows are there."""
    tables.metadata.create_all(connection)
    connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    keys = [
        key
        for table in FILLED
        for key in sorted(table.constraints, key=lambda key: str(key.name))
        if isinstance(key, PrimaryKeyConstraint | UniqueConstraint)
    ]
    indexes = [index for table in FILLED for index in sorted(table.indexes, key=lambda index: str(index.name))]
    for table in FILLED:
        connection.execute(text(f"ALTER TABLE {table.name} SET UNLOGGED"))
    for index in indexes:
        connection.execute(DropIndex(index))
    for key in keys:
        connection.execute(DropConstraint(key))
    connection.exec_driver_sql(FILL.format(releases=RELEASES, builds=BUILDS).replace("%", "%%"))
    for key in keys:
        connection.execute(AddConstraint(key))
    for index in indexes:
        connection.execute(CreateIndex(index))
    sample = "SELECT version, f.folded_version, f.precedence FROM release_project f JOIN release ON id = release_id"
    for version, folded, order in connection.exec_driver_sql(f"{sample} WHERE id % 9973 = 0".replace("%", "%%")):
        assert (folded, order) == (folded_version(version), precedence(parse_release_version(version)))


@dataclass
class Read:
    """What a page takes of the filled tables.

    Args:
        rows: read, or passed over by a filter; not what is passed over inside an index.
        blocks: of tables and indexes, by the statements that find the page.
    """

    rows: int = 0
    blocks: int = 0


def read(connection: Connection, **listing: Any) -> Read:
    """Show a page by its plans: none may read a table from end to end."""
    statements: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        statements.append((arguments[2], arguments[3]))

    event.listen(connection, "before_cursor_execute", note)
    try:
        list_releases(connection, "acme", **({"project": "web"} | listing))
    finally:
        event.remove(connection, "before_cursor_execute", note)
    total = Read()
    for statement, parameters in statements:
        if not parameters:
            connection.exec_driver_sql(statement)  # how to plan those that follow
            continue
        plan = explained(connection, statement, parameters)
        total.rows += sum(_rows(node) for node in _nodes(plan) if node.get("Relation Name") in NAMES)
        if "status" in parameters:
            total.blocks += _blocks(plan)
    connection.rollback()
    return total


def explained(connection: Connection, statement: str, parameters: Any) -> dict[str, Any]:
    """The plan by which a statement was executed."""
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
    plan: dict[str, Any] = connection.exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"]
    return plan


def _blocks(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _rows(scan: dict[str, Any]) -> int:
    if scan["Actual Loops"] == 0:
        return 0
    assert scan["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
    removed: float = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return int((scan["Actual Rows"] + removed) * scan["Actual Loops"])


def blocks_of(connection: Connection, index: str) -> int:
    return int(connection.exec_driver_sql("SELECT pg_relation_size(%s) / 8192", (index,)).scalar_one())


def from_the(part: str, **listing: Any) -> dict[str, Any]:
    """The listing with a cursor to its beginning, middle or end."""
    if part == "beginning":
        return listing
    return at({"middle": RELEASES // 3 * 2 + 1, "end": 5001}[part], **listing)


def at(number: int, **listing: Any) -> dict[str, Any]:
    """The listing with a cursor behind the release of this number."""
    place: tuple[Any, ...] = ((EPOCH + timedelta(minutes=number)).isoformat(), number)
    if listing.get("sort") == "semver":
        version = f"web@{number // 10_000}.{number // 100 % 100}.{number % 100}"
        place = (precedence(parse_release_version(version)), number)
    return listing | {"cursor": cursor(place, **listing)}


def cursor(place: tuple[Any, ...], **listing: Any) -> str:
    of = {"project": "web", "query": None, "environment": None, "status": "open", "sort": "date"} | listing
    return encode_cursor(Listing("acme", **of)._identity, place)


PARTS = pytest.mark.parametrize("part", ["beginning", "middle", "end"])
SORTS = pytest.mark.parametrize("sort", ["date", "semver"])
STATUSES = {"open": 1, "archived": 1, "all": 2}
SHOWN = 3 * (PAGE + 1)  # releases, with the projects that each is of


@PARTS
@SORTS
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("environment", [None, "production", "staging"])
def test_a_page_is_a_range_of_an_index(
    connection: Connection, part: str, sort: str, status: str, environment: str | None
) -> None:
    page = read(connection, **from_the(part, sort=sort, status=status, environment=environment))
    # All statuses are merged from a page of each.
    assert page.rows <= STATUSES[status] * 2 * (PAGE + 1) + SHOWN
    assert page.blocks <= STATUSES[status] * 30


@PARTS
@SORTS
@pytest.mark.parametrize("status", STATUSES)
def test_a_query_that_many_match_takes_a_range_of_the_listing(
    connection: Connection, part: str, sort: str, status: str
) -> None:
    query = "OLD@" if part == "end" else "WEB@"
    page = read(connection, **from_the(part, sort=sort, status=status, query=query))
    assert page.rows <= STATUSES[status] * 2 * (PAGE + 1) + SHOWN
    assert page.blocks <= STATUSES[status] * 30


@PARTS
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("environment", [None, "production", "staging"])
@pytest.mark.parametrize(
    ("query", "searches"), [("web@", 3), ("old@", 3), ("old@1", 41), ("old@49.", 5), ("WEB@77.17", 40), ("nothing", 1)]
)
def test_by_version_a_query_that_says_the_package_takes_a_window_a_look_and_ranges_of_an_index(
    connection: Connection, part: str, status: str, environment: str | None, query: str, searches: int
) -> None:
    page = read(connection, **from_the(part, sort="semver", status=status, environment=environment, query=query))
    looked = WINDOW + FEW + 1
    assert page.rows <= STATUSES[status] * (looked + 2 * (PAGE + 1)) + SHOWN
    assert page.blocks <= STATUSES[status] * (4 * searches + 10 + looked // 50)


@PARTS
@SORTS
@pytest.mark.parametrize("environment", [None, "production", "staging"])
@pytest.mark.parametrize(
    ("query", "matches"), [("nothing", 0), ("web@77.17.", 100), ("build-2999", 2), ("web@0", 0), ("old@0.1", 1_100)]
)
def test_a_query_that_few_match_takes_a_window_and_these(
    connection: Connection, part: str, sort: str, environment: str | None, query: str, matches: int
) -> None:
    page = read(connection, **from_the(part, sort=sort, environment=environment, query=query))
    assert page.rows <= WINDOW + matches + SHOWN
    assert page.blocks <= 150 + (WINDOW + matches) // 50


LOOKED = WINDOW + LOOKS * (FEW + 1) + SHOWN  # what a window and looks read
SEARCHED = 4 * STEMS + LOOKED // 50  # blocks: each stem is looked up, or about as many ranges of numbers


@pytest.mark.parametrize("part", ["beginning", "middle"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("environment", [None, "production"])
@pytest.mark.parametrize(("query", "share"), [("old@1", 0.11), ("OLD@", 0.5), ("o", 0.5)])
def test_by_date_many_that_are_all_far_away_take_looks_at_their_range_of_an_index(
    connection: Connection, part: str, status: str, environment: str | None, query: str, share: float
) -> None:
    page = read(connection, **from_the(part, status=status, environment=environment, query=query))
    assert page.rows <= STATUSES[status] * LOOKED
    # What is below the floor is passed over inside the index of versions, once; nowhere the listing is.
    listed = "release_project" if environment is None else "release_environment"
    assert page.blocks <= share * blocks_of(connection, f"{listed}_version_idx") + STATUSES[status] * SEARCHED


@SORTS
@PARTS
@pytest.mark.parametrize("query", ["b", "BUILD-", "build-1"])
def test_many_stems_take_looks_at_their_range_of_an_index(
    connection: Connection, part: str, sort: str, query: str
) -> None:
    page = read(connection, **from_the(part, sort=sort, status="archived", query=query))
    counted = RELEASES // 50
    assert page.rows <= LOOKED + counted
    assert page.blocks <= 0.03 * blocks_of(connection, "release_project_version_idx") + SEARCHED


@SORTS
@pytest.mark.parametrize("status", ["open", "all"])
@pytest.mark.parametrize(("query", "number", "share"), [("web@", RELEASES // 2 + 50, 0.5), ("web@96", 960_050, 0.01)])
def test_the_last_of_many_that_are_newer_take_a_look_that_passes_over_these(
    connection: Connection, sort: str, status: str, query: str, number: int, share: float
) -> None:
    page = read(connection, **at(number, sort=sort, status=status, query=query))
    assert page.rows <= STATUSES[status] * LOOKED
    passed_over = share * blocks_of(connection, "release_project_version_idx")
    assert page.blocks <= passed_over + STATUSES[status] * SEARCHED


@SORTS
@pytest.mark.parametrize("number", [None, BUILDS // 2])
@pytest.mark.parametrize(("query", "matches"), [("app@1.0.0+99999", 1), ("APP@1.0.0+77", 1_111), ("app@1.0.0-", 0)])
def test_few_among_builds_of_one_version_take_a_window_and_these(
    connection: Connection, sort: str, number: int | None, query: str, matches: int
) -> None:
    listing = {"project": "app", "sort": sort, "query": query}
    if number is not None:
        place = (
            "a1a0a0a0~" if sort == "semver" else (EPOCH + timedelta(minutes=number)).isoformat(),
            RELEASES + number,
        )
        listing["cursor"] = cursor(place, **listing)
    page = read(connection, **listing)
    assert page.rows <= WINDOW + matches + SHOWN
    assert page.blocks <= 150 + (WINDOW + matches) // 50


@pytest.mark.parametrize(
    ("project", "number", "next_"),
    [
        ("web", 1, 2),
        ("web", RELEASES // 2, RELEASES // 2 + 1),
        ("web", RELEASES, None),
        ("api", 1, 101),
        ("api", RELEASES // 2, RELEASES // 2 + 1),
        ("api", RELEASES - 99, None),
    ],
)
def test_the_next_release_is_one_look_up(connection: Connection, project: str, number: int, next_: int | None) -> None:
    version = connection.scalar(text("SELECT version FROM release WHERE id = :id"), {"id": number})
    keys = orjson.dumps([{"organization_id": 1, "project": project, "version": version}]).decode()
    found = [row[3] for row in connection.exec_driver_sql(sql("load_next_releases"), {"keys": keys})]
    assert found == ([] if next_ is None else [next_])
    plan = explained(connection, sql("load_next_releases"), {"keys": keys})
    assert sum(_rows(node) for node in _nodes(plan) if node.get("Relation Name") in NAMES) <= 3
    assert _blocks(plan) <= 30
