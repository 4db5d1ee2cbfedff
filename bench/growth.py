"""Tables that have grown: rows like those that a few events left, many times over.

What an event adds once is multiplied: releases, their projects, commits, logs, heads, event ids. The copies belong to
the same organizations and repositories, with keys that fall anywhere in the indexes and ids below all others, as after
a long life. What is only ever appended and never looked up by an event (activities) is left as it is.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier, Literal
from sqlalchemy import MetaData

from bench.databases import administer, checkpoint
from consumer.store.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table

_GROWING = ("release", "release_project", "release_commit", "release_head_commit", "commit", "processed_event")
_COPIES_AT_ONCE = 20

# Ids of one table and references to it, which must be moved alike.
_ID_OF = {
    ("release", "id"): "release",
    ("release", "last_commit_id"): "commit",
    ("commit", "id"): "commit",
    ("release_project", "release_id"): "release",
    ("release_commit", "release_id"): "release",
    ("release_commit", "commit_id"): "commit",
    ("release_head_commit", "release_id"): "release",
    ("release_head_commit", "commit_id"): "commit",
}


def grow(url: str, commits: int, progress: Callable[[str], None]) -> int:
    """Multiply what is in the tables until there are so many commits; returns how many there are.

    Args:
        url: a database with the rows of some events that pushed new commits.
        commits: how many there shall be, at least.
        progress: told, in words for a person, how far it is.
    """
    metadata = MetaData()
    engine = connect(url, application_name="bench")
    metadata.reflect(engine, only=_GROWING)
    engine.dispose()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        there, spans = 0, {}
        for name in ("release", "commit"):
            cursor.execute(SQL("SELECT count(*), min(id), max(id) FROM {}").format(Identifier(name)))
            ((there, low, high),) = cursor.fetchall()
            spans[name] = (low, high - low + 1)
        copies = -(-(commits - there) // there)
        for table in metadata.sorted_tables:
            cursor.execute(SQL("CREATE TEMPORARY TABLE original AS SELECT * FROM {}").format(Identifier(table.name)))
            statement = _multiply(table, spans)
            for start in range(1, copies + 1, _COPIES_AT_ONCE):
                cursor.execute(statement, {"start": start, "end": min(start + _COPIES_AT_ONCE - 1, copies)})
                connection.commit()
            cursor.execute("DROP TABLE original")
            progress(f"growth: {table.name} is filled")
    administer(url, "VACUUM ANALYZE")
    checkpoint(url)
    return int(there * (copies + 1))


def _multiply(table: Table, spans: dict[str, tuple[int, int]]) -> Composable:
    """INSERT of copies ``start`` to ``end`` of the rows that were there at first."""
    columns = [column for column in table.columns if column.computed is None]
    statement = SQL("INSERT INTO {} ({}) SELECT {} FROM original AS o, generate_series(%(start)s, %(end)s) AS copy")
    return statement.format(
        Identifier(table.name),
        SQL(", ").join(Identifier(column.name) for column in columns),
        SQL(", ").join(_value(table.name, column.name, spans) for column in columns),
    )


def _value(table: str, column: str, spans: dict[str, tuple[int, int]]) -> Composable:
    original = SQL("o.{}").format(Identifier(column))
    of = _ID_OF.get((table, column))
    if of is not None:
        low, span = spans[of]
        # Below zero: new rows get ids above these, as they would.
        return SQL("{} - {} - copy * {}").format(original, Literal(low + span), Literal(span))
    match table, column:
        case "commit", "key":
            return SQL("md5({0} || copy) || left({0}, 8)").format(original)
        case ("release", "version") | ("release_project", "folded_version"):
            return SQL("{} || '-' || copy").format(original)
        case "processed_event", "digest":
            return SQL("md5({}::text || copy)::uuid").format(original)
    return original
