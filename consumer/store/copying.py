"""COPY and bulk statements: many rows, one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from typing import Any

import orjson
from psycopg2.extensions import cursor as Cursor

from consumer.errors import StaleSnapshot
from consumer.store.database import sql


def copy_rows(cursor: Cursor, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
    """Add rows to a table by one COPY; no rows, no statement.

    Args:
        table: name of the table.
        columns: names of the columns, comma separated.
        rows: values in the order of the columns: str, int, bytes, datetime, a list of int, or None.
    """
    if not rows:
        return
    text = "\n".join(["\t".join([_field(value) for value in row]) for row in rows])
    cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', StringIO(text))


def _field(value: Any) -> str:
    """One value in COPY's text format."""
    if value is None:
        return r"\N"
    if type(value) is str:
        if "\\" in value:
            value = value.replace("\\", "\\\\")
        if "\n" in value:
            value = value.replace("\n", "\\n")
        if "\t" in value:
            value = value.replace("\t", "\\t")
        return value.replace("\r", "\\r") if "\r" in value else value
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value)


def update_rows(cursor: Cursor, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Run the named UPDATE over rows given as one JSON text; no rows, no statement.

    Raises:
        StaleSnapshot: another transaction changed or removed one of the rows since it was read.
    """
    rows = list(rows)
    if not rows:
        return
    cursor.execute(sql(name), {"rows": orjson.dumps(rows).decode()})
    if cursor.rowcount != len(rows):
        message = f"{name}: {len(rows) - cursor.rowcount} of {len(rows)} rows were changed by another transaction"
        raise StaleSnapshot(message)


def delete_rows(cursor: Cursor, name: str, rows: Iterable[Any]) -> None:
    """Run the named DELETE over keys given as one JSON text; no keys, no statement."""
    rows = list(rows)
    if rows:
        cursor.execute(sql(name), {"rows": orjson.dumps(rows).decode()})
