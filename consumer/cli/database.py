"""The connection of commands that only read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumer.settings import load_settings
from consumer.store.database import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def reading() -> Iterator[Connection]:
    """A connection to the configured database, in a read-only transaction that sees one state throughout.

    Raises:
        SettingsError: a setting is wrong.
        UsageError: no database is named and no stack is up.
        sqlalchemy.exc.OperationalError: PostgreSQL does not answer.
    """
    engine = connect(_database_url(), application_name="release-consumer read", pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    finally:
        engine.dispose()


def _database_url() -> str:
    settings = load_settings()
    if settings.database_url is not None:
        return settings.database_url
    from consumer.services import resolve_services  # only where no database is named

    return resolve_services(settings).database_url
