"""Rows of releases put in by SQL, for tests of what readers get of them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, insert

from consumer.store import tables
from consumer.store.database import connect
from consumer.store.listing_keys import folded_version, precedence
from consumer.store.semver import SEMVER_COLUMNS, parse_release_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Table

JANUARY = datetime(2024, 1, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, 12, 30, 15, 250_000, tzinfo=UTC)
RELEASE_ID = 2**52 + 7


@contextmanager
def seeded(database_url: str) -> Iterator[Connection]:
    """A transaction on an empty database, with an organization ``acme`` that has the projects ``web`` and ``api``."""
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
    """Insert rows."""
    connection.execute(insert(table), list(rows))


def add_release(connection: Connection, id_: int, version: str, **columns: Any) -> None:
    """Insert a release of the project ``web``."""
    parsed = dict(zip(SEMVER_COLUMNS.split(", "), parse_release_version(version), strict=True))
    row = {"id": id_, "organization_id": 1, "version": version, "date_added": JANUARY, "status": 0} | parsed | columns
    add(connection, tables.release, row)
    add_to_project(connection, row, 11)


def add_to_project(connection: Connection, release: dict[str, Any], project_id: int) -> None:
    """Attach a release to a project."""
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


def count_statements(connection: Connection) -> list[str]:
    """Statements that are sent from now on."""
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    return statements


def versions(page: dict[str, Any]) -> list[str]:
    """The versions of a page, in its order."""
    return [release["version"] for release in page["releases"]]
