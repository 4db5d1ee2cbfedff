"""Databases of the benchmark's own, beside the one that the worker writes to."""

from __future__ import annotations

import secrets
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psycopg2
from psycopg2.sql import SQL, Composable, Identifier

from consumer.store.database import connect
from consumer.store.migrating import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def migrated_database(server_url: str) -> Iterator[str]:
    """Make a database with the product's tables and nothing in them; yields its URL, and drops it at the end."""
    with _database(server_url) as url:
        engine = connect(url, application_name="bench")
        migrate(engine)
        engine.dispose()
        yield url


@contextmanager
def copied_database(server_url: str, original_url: str) -> Iterator[str]:
    """Make a copy of a database that nobody is connected to; yields its URL, and drops it at the end."""
    with _database(server_url, template=urlsplit(original_url).path.removeprefix("/")) as url:
        yield url


def query(url: str, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Run one statement that returns rows."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def administer(url: str, statement: str | Composable) -> None:
    """Run one statement outside of a transaction, such as ``VACUUM``."""
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def checkpoint(url: str) -> None:
    """Write out what earlier measurements left dirty, so that each begins alike; without the right to, it is left."""
    with suppress(psycopg2.errors.InsufficientPrivilege):
        administer(url, "CHECKPOINT")


@contextmanager
def _database(server_url: str, template: str = "template1") -> Iterator[str]:
    name = f"bench_{secrets.token_hex(4)}"
    administer(server_url, SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(template)))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        administer(server_url, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
