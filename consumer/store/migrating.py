"""Bringing the database to the schema of this version, and telling where it has another."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import WrongSchema, first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

# Any number does, so long as every process that migrates takes the same.
_MIGRATION_LOCK = 727_274_657

_TELLING_CLASSES = ("22", "23", "42")
"""Classes of SQLSTATE that another schema causes: values or rows it does not take, tables or columns it lacks."""


def migrate(engine: Engine) -> str:
    """Run the migrations that are missing, all in one transaction; safe to call from many places at once.

    Args:
        engine: the database.

    Returns:
        the revision that the database has now.

    Raises:
        WrongSchema: its schema is newer than this version.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        if _is_newer(found := _current(connection)):
            raise WrongSchema(_mismatch(found))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _current(connection) or ""


def require_migrated(engine: Engine) -> None:
    """Refuse to work on a database that has another schema than this version.

    Raises:
        WrongSchema: says which revision the database has and which is needed, with the remedy.
    """
    with engine.connect() as connection:
        found = _current(connection)
    if found != _scripts().get_current_head():
        raise WrongSchema(_mismatch(found))


def blame_schema(engine: Engine, error: BaseException) -> None:
    """See whether PostgreSQL refused something because the database has another schema than this version.

    Another schema alone is no fault: while a new version is rolled out the old one goes on as long as it can.

    Args:
        engine: the database.
        error: what it said; errors that have nothing to do with a schema are not looked into.

    Raises:
        WrongSchema: it has; says what was refused, and both revisions.
        SQLAlchemyError: that cannot be told now.
    """
    code = getattr(getattr(error, "orig", error), "pgcode", None) or ""
    if not code.startswith(_TELLING_CLASSES):
        return
    try:
        require_migrated(engine)
    except WrongSchema as mismatch:
        message = f"PostgreSQL: {first_line(error)}: {mismatch}"
        raise WrongSchema(message) from error


@contextmanager
def blaming_schema(engine: Engine) -> Iterator[None]:
    """A block whose statements may be refused because of another schema: as ``blame_schema``, or as it was raised."""
    try:
        yield
    except (psycopg2.Error, SQLAlchemyError) as error:
        blame_schema(engine, error)
        raise


def _mismatch(found: str | None) -> str:
    remedy = "it is newer: run the version of release-consumer that migrated it"
    if not _is_newer(found):
        remedy = "run `release-consumer setup`"
    wanted = _scripts().get_current_head()
    return f"the database has schema revision {found or 'none'}, this version needs {wanted}; {remedy}"


def _is_newer(found: str | None) -> bool:
    """Whether this version does not know the revision of a database."""
    return found is not None and found not in {script.revision for script in _scripts().walk_revisions()}


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("consumer.store") / "migrations"))
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
