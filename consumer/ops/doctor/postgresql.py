"""PostgreSQL: version, schema, durability, clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from consumer.errors import UsageError
from consumer.ops.doctor.report import Area
from consumer.store.database import Cursor, fetch_one, sql, transaction
from consumer.store.migrating import require_migrated

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.ops.doctor.report import Line

_OLDEST = 14
_VERSION_UNIT = 10_000
_SKEW_WARN_SECONDS = 1.0
_SKEW_FAIL_SECONDS = 60.0
_OLD_TRANSACTION_SECONDS = 600
_CROWDED = 0.8
_DURABLE = {
    "fsync": "a crash of the machine can lose or spoil everything",
    "full_page_writes": "a crash of the machine can spoil pages",
    "synchronous_commit": "a crash can lose the last transactions, whose announcements are out",
}


def examine_postgresql(engine: Engine) -> list[Line]:
    """What is to be said of the database.

    Raises:
        psycopg2.Error, sqlalchemy.exc.SQLAlchemyError: it does not answer.
    """
    area = Area("postgresql")
    with transaction(engine) as cursor:
        before = time.time()
        cursor.execute(sql("doctor_server"))
        found = dict(zip([column.name for column in cursor.description or ()], fetch_one(cursor), strict=True))
        skew = float(found["clock"]) - (before + time.time()) / 2
    major = found["version"] // _VERSION_UNIT
    area.judge("version", str(found["told"]), fail="" if major >= _OLDEST else f"use PostgreSQL {_OLDEST} or newer")
    _schema(area, engine)
    _skew(area, skew)
    for name, danger in _DURABLE.items():
        value = found[name]
        area.judge(name, value, warn="" if value != "off" else f"set it to on: {danger}")
    area.judge(
        "writable",
        "read-only" if found["read_only"] else "yes",
        fail="" if not found["read_only"] else "name the primary server, not a standby, and check the role's defaults",
    )
    area.judge(
        "encoding", found["encoding"], fail="" if found["encoding"] == "UTF8" else "create the database with UTF8"
    )
    area.judge(
        "autovacuum",
        found["autovacuum"],
        warn="" if found["autovacuum"] == "on" else "set it to on: rows that are gone are never cleared away",
    )
    area.judge(
        "connections",
        f"{found['connections']} of {found['max_connections']}",
        warn=""
        if found["connections"] < _CROWDED * found["max_connections"]
        else "raise max_connections, or use a pooler; a worker needs five",
    )
    _oldest(area, found)
    return area.lines


def _schema(area: Area, engine: Engine) -> None:
    try:
        require_migrated(engine)
    except UsageError as error:
        finding, _, remedy = str(error).rpartition("; ")
        area.fail("schema", finding, remedy)
    else:
        area.ok("schema", "is that of this version")


def _skew(area: Area, skew: float) -> None:
    finding = f"{abs(skew):.2f} s {'ahead of' if skew > 0 else 'behind'} this machine"
    remedy = "let both machines follow a time server"
    if abs(skew) > _SKEW_FAIL_SECONDS:
        area.fail("clock", finding, remedy)
    elif abs(skew) > _SKEW_WARN_SECONDS:
        area.warn("clock", finding, remedy)
    else:
        area.ok("clock", finding)


def _oldest(area: Area, found: dict[str, object]) -> None:
    seconds = found["oldest_seconds"]
    if not isinstance(seconds, int | float) or seconds < _OLD_TRANSACTION_SECONDS:
        area.ok("oldest transaction", "none is old" if seconds is None else f"{seconds:.0f} s")
        return
    area.warn(
        "oldest transaction",
        f"pid {found['oldest_pid']} has one open for {seconds:.0f} s",
        "end it: as long as it is open, rows that are gone cannot be cleared away",
    )


def has_schema(cursor: Cursor) -> bool:
    """Whether the tables that progress is read from are there."""
    cursor.execute("SELECT to_regclass('consumer_offset') IS NOT NULL")
    return bool(fetch_one(cursor)[0])
