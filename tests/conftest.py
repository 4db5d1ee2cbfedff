"""The real services that tests run on, and what a test gets of its own on them."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2.sql import SQL, Composable, Identifier

from consumer.services.stack import Stack
from consumer.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.services import Services


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Kafka, PostgreSQL and Redis: those that the settings name, else a stack that lives as long as the session."""
    told: list[str] = []
    stack = Stack(load_settings(stack_data=tmp_path_factory.mktemp("stack")), told.append)
    try:
        yield stack.up()
    finally:
        stack.down(wipe=True)


@pytest.fixture
def database_url(services: Services) -> Iterator[str]:
    """URL of a fresh, empty database; it is dropped at the end, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    _administer(services.database_url, SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield urlsplit(services.database_url)._replace(path=f"/{name}").geturl()
    finally:
        _administer(services.database_url, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _administer(url: str, statement: Composable) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True  # databases are not made or dropped in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statement)
