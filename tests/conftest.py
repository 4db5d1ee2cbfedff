"""The real services that tests run on, and what a test gets of its own on them."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumer.services.stack import Stack
from consumer.settings import load_settings
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services

_STACK = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of the stack: one for all processes among which pytest-xdist spreads the tests."""
    told = _told(config)
    config.stash[_STACK] = Path(told["stack"] if told else tempfile.mkdtemp(prefix="release-consumer-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist the folder of the stack."""
    node.workerinput["stack"] = str(node.config.stash[_STACK])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the stack, when all processes are done or were killed."""
    if not _told(config):
        _stack(config).down(wipe=True)
        shutil.rmtree(config.stash[_STACK])


def _told(config: pytest.Config) -> dict[str, Any]:
    """What the main process tells a process of pytest-xdist; nothing in the main process."""
    return getattr(config, "workerinput", {})


def _stack(config: pytest.Config) -> Stack:
    told: list[str] = []
    return Stack(load_settings(stack_data=config.stash[_STACK]), told.append)


@pytest.fixture(scope="session")
def services(pytestconfig: pytest.Config) -> Services:
    """Kafka, PostgreSQL and Redis: those that the settings name, else a stack that all tests share."""
    return _stack(pytestconfig).up()


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
