"""What the database holds, in numbers that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from consumer.store.tables import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

_NOTES_OF_THE_READER = frozenset({"consumer_offset", "processed_event", "outbox"})
"""Tables that say how far reading and announcing have come; all others say what is true."""


@dataclass(frozen=True, slots=True)
class State:
    """All tables but the reader's own notes.

    Args:
        rows: number of rows by table.
        digest: of every column of every row.
    """

    rows: dict[str, int]
    digest: str


def read_state(engine: Engine) -> State:
    """Count and digest the tables, in one snapshot."""
    rows: dict[str, int] = {}
    digest = sha256()
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        for name in sorted(metadata.tables.keys() - _NOTES_OF_THE_READER):
            rows[name], content = _table(connection, name)
            digest.update(f"{name} {content}\n".encode())
    return State(rows, digest.hexdigest())


def read_fates(engine: Engine) -> dict[str, int]:
    """How many events the consumer has applied, dropped as duplicates, parked and put away as dead letters."""
    statement = "SELECT sum(applied), sum(duplicate), sum(parked), sum(dead) FROM consumer_offset"
    with engine.connect() as connection:
        counts = connection.execute(text(statement)).one()
    return {
        name: int(count or 0) for name, count in zip(("applied", "duplicate", "parked", "dead"), counts, strict=True)
    }


def _table(connection: Connection, name: str) -> tuple[int, str]:
    statement = text(f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM \"{name}\" t")  # noqa: S608  # names come from the catalogue of tables
    count, content = connection.execute(statement).one()
    return count, content or ""
