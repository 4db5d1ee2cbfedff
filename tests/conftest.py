"""The real services that tests run on, and what a test gets of its own on them."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from consumer.services.stack import Stack
from consumer.settings import load_settings
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
    with own_database(services.database_url) as url:
        yield url


@pytest.fixture
def install(services: Services, database_url: str, tmp_path: Path) -> Iterator[Callable[..., Product]]:
    """Make an installation of the product, set up, with the settings given; everything of it is gone at the end."""
    with ExitStack() as stack:

        def install(**settings: Any) -> Product:
            product = stack.enter_context(closing(Product(services, database_url, tmp_path, **settings)))
            product.set_up()
            return product

        yield install
