"""The limit: COPY of the very rows that the worker left, into the same tables with the same indexes."""

from __future__ import annotations

import math
import time
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier
from sqlalchemy import MetaData

from bench.databases import checkpoint
from consumer.store.database import connect

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection  # noqa: N812  # it is a class

_NOT_DATA = "alembic_version"


@dataclass(frozen=True, slots=True)
class TableRows:
    """All rows of a table.

    Args:
        table: its name.
        columns: those that are not computed.
        rows: lines of COPY's text format, in the order in which they are stored.
        first: whether other tables refer to it by foreign keys, so that it must be loaded before them.
    """

    table: str
    columns: list[str]
    rows: list[bytes]
    first: bool


def dump(url: str) -> list[TableRows]:
    """Read every table of a database, bookkeeping included: event ids, activities, offsets, what is in the outbox."""
    metadata = MetaData()
    engine = connect(url, application_name="bench")
    metadata.reflect(engine)
    engine.dispose()
    tables = [table for table in metadata.sorted_tables if table.name != _NOT_DATA]
    parents = {key.column.table.name for table in tables for key in table.foreign_keys}
    with closing(psycopg2.connect(url)) as connection:
        columns = {t.name: [column.name for column in t.columns if column.computed is None] for t in tables}
        return [
            TableRows(t.name, columns[t.name], _rows(connection, t.name, columns[t.name]), t.name in parents)
            for t in tables
        ]


def load(url: str, dumped: list[TableRows], *, events: int, batch_size: int) -> float:
    """Load rows in as many transactions as the worker needed at least; returns the seconds from first to last.

    Args:
        url: a database with the same tables, empty.
        dumped: the rows, tables that others refer to before those.
        events: how many events the rows come from.
        batch_size: events of one transaction.
    """
    batches = math.ceil(events / batch_size)
    parts = [[_part(table, batch, batches) for table in dumped] for batch in range(batches)]
    checkpoint(url)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        into = SQL("COPY {} ({}) FROM STDIN")
        statements = [into.format(Identifier(t.table), _names(t.columns)).as_string(cursor) for t in dumped]
        begun = time.perf_counter()
        for part in parts:
            for statement, rows in zip(statements, part, strict=True):
                if rows:
                    cursor.copy_expert(statement, BytesIO(rows))
            connection.commit()
        return time.perf_counter() - begun


def _names(columns: list[str]) -> Composable:
    return SQL(", ").join(map(Identifier, columns))


def _rows(connection: Connection, table: str, columns: list[str]) -> list[bytes]:
    found = BytesIO()
    with connection.cursor() as cursor:
        # In the order in which the worker wrote them, as far as it did not write them again.
        statement = SQL("COPY (SELECT {} FROM {} ORDER BY ctid) TO STDOUT")
        cursor.copy_expert(statement.format(_names(columns), Identifier(table)), found)
    return found.getvalue().splitlines(keepends=True)


def _part(table: TableRows, batch: int, batches: int) -> bytes:
    """What of a table goes into one transaction."""
    if table.first:
        return b"".join(table.rows) if batch == 0 else b""
    count = len(table.rows)
    return b"".join(table.rows[count * batch // batches : count * (batch + 1) // batches])
