"""How pages of a project with a million releases are found: by ranges of indexes, wherever in the list they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, event, text
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from consumer.store import tables
from consumer.store.database import connect
from consumer.store.reading.cursors import encode_cursor
from consumer.store.reading.listings import WINDOW, Listing
from consumer.store.reading.releases import list_releases
from tests.support.product import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from consumer.services import Services

RELEASES = 1_000_000
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
PAGE = 100
FILLED = (tables.release, tables.release_project, tables.release_environment)
NAMES = {table.name for table in FILLED}

# Every tenth is archived, every fiftieth no semantic version; web has all, api every hundredth; every fifth of web was
# seen in production, every thousandth in staging. The order of versions is that of time, as it is in life.
FILL = """
INSERT INTO organization (id, slug, date_added) VALUES (1, 'acme', now());
INSERT INTO project (id, organization_id, slug, date_added) VALUES (11, 1, 'web', now()), (12, 1, 'api', now());
INSERT INTO environment (id, organization_id, name, date_added) VALUES
    (21, 1, 'production', now()), (22, 1, 'staging', now());
INSERT INTO release
    (id, organization_id, version, status, date_added, package, major, minor, patch, revision, prerelease)
SELECT
    n, 1, 'web@' || n / 10000 || '.' || n / 100 % 100 || '.' || n % 100 || CASE WHEN n % 7 = 0 THEN '-rc.1' ELSE '' END,
    CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, timestamptz '2020-01-01' + n * interval '1 minute',
    'web', n / 10000, n / 100 % 100, n % 100, 0, CASE WHEN n % 7 = 0 THEN 'rc.1' ELSE '' END
FROM generate_series(1, 1000000) AS n
WHERE n % 50 <> 0;
INSERT INTO release (id, organization_id, version, status, date_added)
SELECT n, 1, 'build-' || n, CASE WHEN n % 10 = 0 THEN 1 ELSE 0 END, timestamptz '2020-01-01' + n * interval '1 minute'
FROM generate_series(50, 1000000, 50) AS n;
INSERT INTO release_project SELECT id, 11, status, date_added FROM release;
INSERT INTO release_project SELECT id, 12, status, date_added FROM release WHERE id % 100 = 1;
INSERT INTO release_environment
SELECT id, 11, 21, status, date_added, date_added, date_added FROM release WHERE id % 5 = 1;
INSERT INTO release_environment
SELECT id, 11, 22, status, date_added, date_added, date_added FROM release WHERE id % 1000 = 1;
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
    """Make the tables and their million rows: not logged, and indexed when all rows are there."""
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
    connection.exec_driver_sql(FILL.replace("%", "%%"))
    for key in keys:
        connection.execute(AddConstraint(key))
    for index in indexes:
        connection.execute(CreateIndex(index))


def rows_read(connection: Connection, **listing: Any) -> int:
    """Rows of the filled tables that a page takes, none of them by reading a table from end to end."""
    statements: list[tuple[str, Any]] = []

    def note(*arguments: Any) -> None:
        statements.append((arguments[2], arguments[3]))

    event.listen(connection, "before_cursor_execute", note)
    try:
        list_releases(connection, "acme", **({"project": "web"} | listing))
    finally:
        event.remove(connection, "before_cursor_execute", note)
    read = 0
    for statement, parameters in statements:
        if parameters:
            explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}"
            plan = connection.exec_driver_sql(explain, parameters).scalar_one()[0]["Plan"]
            read += sum(_read(node) for node in _nodes(plan) if node.get("Relation Name") in NAMES)
    connection.rollback()
    return read


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


def _read(scan: dict[str, Any]) -> int:
    if scan["Actual Loops"] == 0:
        return 0
    assert scan["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
    removed: float = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return int((scan["Actual Rows"] + removed) * scan["Actual Loops"])


def from_the(part: str, **listing: Any) -> dict[str, Any]:
    """The listing with a cursor to its beginning, middle or end."""
    if part == "beginning":
        return listing
    number = {"middle": RELEASES // 2, "end": 1500}[part]
    of = {"project": "web", "query": None, "environment": None, "status": "open", "sort": "date"} | listing
    place: tuple[Any, ...] = ((EPOCH + timedelta(minutes=number)).isoformat(), number)
    if of["sort"] == "semver":
        place = (number // 10_000, number // 100 % 100, number % 100, 0, "~", number)
    return listing | {"cursor": encode_cursor(Listing("acme", **of)._identity, place)}


PARTS = pytest.mark.parametrize("part", ["beginning", "middle", "end"])


@PARTS
@pytest.mark.parametrize("status", ["open", "archived", "all"])
@pytest.mark.parametrize("environment", [None, "production", "staging"])
def test_by_date_a_page_is_a_range_of_an_index(
    connection: Connection, part: str, status: str, environment: str | None
) -> None:
    listing = from_the(part, status=status, environment=environment)
    # Found, and then shown with the projects that each is of; all statuses are merged from a page of each.
    assert rows_read(connection, **listing) <= (2 + 2 + 1) * (PAGE + 1)


@PARTS
def test_a_query_that_many_match_takes_a_range_of_the_listing(connection: Connection, part: str) -> None:
    assert rows_read(connection, **from_the(part, query="WEB@")) <= 7 * (PAGE + 1)


@PARTS
@pytest.mark.parametrize(("query", "matches"), [("nothing", 0), ("web@42.17.", 100), ("build-99999", 2)])
def test_a_query_that_few_match_takes_these_and_a_window(
    connection: Connection, part: str, query: str, matches: int
) -> None:
    for environment in (None, "production", "staging"):
        listing = from_the(part, query=query, environment=environment)
        assert rows_read(connection, **listing) <= 2 * WINDOW + 3 * matches + 5 * (PAGE + 1)


@PARTS
@pytest.mark.parametrize("status", ["open", "all"])
def test_by_version_a_page_of_a_project_with_many_is_a_range(connection: Connection, part: str, status: str) -> None:
    # That the project has many is seen from a window of its own.
    allowed = (1 if status == "open" else 2) * WINDOW + 10 * (PAGE + 1)
    assert rows_read(connection, **from_the(part, sort="semver", status=status)) <= allowed
    assert rows_read(connection, **from_the(part, sort="semver", status=status, query="WEB@")) <= allowed


@PARTS
@pytest.mark.parametrize("listing", [{"environment": "staging"}, {"query": "nothing"}, {"query": "web@42.17."}])
def test_by_version_few_take_these_and_a_window(connection: Connection, part: str, listing: dict[str, Any]) -> None:
    assert rows_read(connection, **from_the(part, sort="semver", **listing)) <= 3 * WINDOW + 10 * (PAGE + 1)


def test_by_version_a_project_that_has_one_of_a_hundred_is_read_as_a_whole(connection: Connection) -> None:
    assert rows_read(connection, project="api", sort="semver") <= 2 * WINDOW + 3 * RELEASES // 100 + 5 * (PAGE + 1)
