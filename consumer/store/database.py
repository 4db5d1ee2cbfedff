"""Connections to PostgreSQL: one way to make an engine, and named SQL from files."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import psycopg2.extensions
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from consumer.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator


def connect(database_url: str, *, application_name: str, pool_size: int = 2) -> Engine:
    """Make an engine for a PostgreSQL database; no connection is opened yet.

    Args:
        database_url: ``postgresql://user:password@host:port/name``.
        application_name: what ``pg_stat_activity`` shows.
        pool_size: connections kept open, at most.

    Raises:
        SettingsError: the URL does not parse.
    """
    try:
        url = make_url(database_url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        message = "RELEASE_CONSUMER_DATABASE_URL does not parse; write postgresql://user:password@host:port/name"
        raise SettingsError(message) from None
    return create_engine(
        url.set(drivername="postgresql+psycopg2"),
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        use_native_hstore=False,  # else every new connection is asked for a type that no table has
        connect_args={
            "application_name": application_name,
            "connect_timeout": 5,
            # A peer that vanished without a word is noticed in about 15 s.
            "keepalives_idle": 5,
            "keepalives_interval": 5,
            "keepalives_count": 2,
            # Also where something was sent that it never acknowledged: keepalives do not count then.
            "tcp_user_timeout": 15_000,
            "options": "-c timezone=UTC",
        },
    )


Cursor = psycopg2.extensions.cursor


@contextmanager
def transaction(engine: Engine) -> Iterator[Cursor]:
    """A transaction of its own on a pooled connection: committed at the end, rolled back on an exception."""
    connection = engine.raw_connection()
    try:
        with closing(connection.cursor()) as cursor:
            yield cursor  # type: ignore[misc]  # the driver is psycopg2, whatever the pool's protocol says
        connection.commit()
    except psycopg2.OperationalError:
        connection.invalidate()
        raise
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def fetch_one(cursor: Cursor) -> tuple[Any, ...]:
    """The row of a statement that always has one."""
    row = cursor.fetchone()
    if row is None:
        message = "a statement that always has a row had none"
        raise LookupError(message)
    return row


def address_of(database_url: str) -> str:
    """The URL without its password, for people."""
    return make_url(database_url).render_as_string(hide_password=True)


@cache
def sql(name: str) -> str:
    """The statement in ``store/sql/<name>.sql``, with psycopg2 placeholders such as ``%(group)s``."""
    return (resources.files("consumer.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
