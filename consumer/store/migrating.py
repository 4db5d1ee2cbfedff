"""Bringing the database to the schema of this version."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from consumer.errors import UsageError

# Any number does, so long as every process that migrates takes the same.
_MIGRATION_LOCK = 727_274_657


def migrate(engine: Engine) -> str:
    """Run the migrations that are missing, all in one transaction; safe to call from many places at once.

    Args:
        engine: the database.

    Returns:
        the revision that the database has now.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return _current(connection) or ""


def require_migrated(engine: Engine) -> None:
    """Refuse to work on a database that has another schema than this version.

    Raises:
        UsageError: says which revision the database has and which is needed, with the remedy.
    """
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        found = _current(connection)
    if found != wanted:
        message = (
            f"the database has schema revision {found or 'none'}, this version needs {wanted};"
            " run `release-consumer setup`"
        )
        raise UsageError(message)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(resources.files("consumer.store") / "migrations"))
    return config


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
