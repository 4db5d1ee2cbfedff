"""Connections of commands to the configured database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumer.services import resolve_service
from consumer.settings import load_settings
from consumer.store.database import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from consumer.settings import Settings


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection to the configured database, in a read-only transaction that sees one state throughout.

    Raises:
        SettingsError: a setting is wrong.
        UsageError: no database is named and no stack is up.
        sqlalchemy.exc.OperationalError: PostgreSQL does not answer.
    """
    url = resolve_service(load_settings(), "postgresql")
    engine = connect(url, application_name="release-consumer read", pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    finally:
        engine.dispose()


@contextmanager
def writing(settings: Settings, command: str) -> Iterator[Engine]:
    """An engine on the configured database, for short transactions beside running workers.

    Args:
        settings: may name the database.
        command: what ``pg_stat_activity`` shows.

    Raises:
        UsageError: no database is named and no stack is up.
    """
    url = resolve_service(settings, "postgresql")
    engine = connect(url, application_name=f"release-consumer {command}", pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()
