"""COPY and bulk statements: many rows, one statement."""

from __future__ import annotations

from datetime import datetime
from io import RawIOBase
from typing import TYPE_CHECKING, Any

import orjson

from consumer.errors import StaleSnapshot
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CHUNK = 1000
_PLAIN_TYPES = (int, datetime, type(None))


def copy_rows(cursor: Cursor, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
    """Add rows to a table by one COPY; no rows, no statement.

    Args:
        cursor: inside the batch's transaction.
        table: name of the table.
        columns: names of the columns, comma separated.
        rows: values in the order of the columns: str, int, bool, bytes, datetime, a list of int, or None.
    """
    if not rows:
        return
    cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', _Encoded(rows))


class _Encoded(RawIOBase):
    """Rows as a file that psycopg2 reads: PostgreSQL takes in one chunk while the next is encoded."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        super().__init__()
        self._rows = rows
        self._next = 0

    def read(self, _size: int = -1, /) -> bytes:
        """The next chunk, of whatever size."""
        chunk = self._rows[self._next : self._next + _CHUNK]
        self._next += _CHUNK
        return _encode(chunk).encode()


def _encode(rows: Sequence[Sequence[Any]]) -> str:
    """Rows in COPY's text format; column by column, for the values of one are mostly of one type."""
    if not rows:
        return ""
    return "\n".join(map("\t".join, zip(*map(_column, zip(*rows, strict=True)), strict=True))) + "\n"


def _column(values: Sequence[Any]) -> Iterable[str]:
    types = set(map(type, values))
    if all(issubclass(type_, _PLAIN_TYPES) for type_ in types):
        # JSON writes a long column several times as fast as Python does value by value, and just as COPY reads it.
        return orjson.dumps(values).decode()[1:-1].replace('"', "").replace("null", r"\N").split(",")
    if types == {str}:
        return map(_text, values) if _is_special("".join(values)) else values
    return map(_field, values)


def _field(value: Any) -> str:
    """One value in COPY's text format."""
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return r"\N"
    if isinstance(value, int):
        return int.__repr__(value)
    return _other(value)


def _is_special(text: str) -> bool:
    return "\\" in text or "\n" in text or "\t" in text or "\r" in text


def _text(value: str) -> str:
    # Looking first is cheaper than replacing what is not there.
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "\n" in value:
        value = value.replace("\n", "\\n")
    if "\t" in value:
        value = value.replace("\t", "\\t")
    if "\r" in value:
        value = value.replace("\r", "\\r")
    return value


def _other(value: Any) -> str:
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
