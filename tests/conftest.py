"""The real services that tests run on, and what a test gets of its own on them."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumer.services.stack import Stack
from consumer.services.state import STATE_FILE
from consumer.settings import load_settings
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services

_STACKS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the folder of stacks: one for all processes among which pytest-xdist spreads the tests."""
    told = _told(config)
    config.stash[_STACKS] = Path(told["stacks"] if told else tempfile.mkdtemp(prefix="release-consumer-tests-"))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist the folder of stacks."""
    node.workerinput["stacks"] = str(node.config.stash[_STACKS])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the stacks, when all processes are done or were killed."""
    if not _told(config):
        for state in config.stash[_STACKS].glob(f"*/{STATE_FILE}"):
            _stack(state.parent).down(wipe=True)
        shutil.rmtree(config.stash[_STACKS])


def _told(config: pytest.Config) -> dict[str, Any]:
    """What the main process tells a process of pytest-xdist; nothing in the main process."""
    return getattr(config, "workerinput", {})


def _stack(folder: Path) -> Stack:
    told: list[str] = []
    return Stack(load_settings(stack_data=folder), told.append)


@pytest.fixture(scope="session")
def stacks(pytestconfig: pytest.Config) -> Path:
    """A folder: stacks in folders below it are ended with the tests, also where those are interrupted."""
    return pytestconfig.stash[_STACKS]


@pytest.fixture(scope="session")
def services(stacks: Path) -> Services:
    """Kafka, PostgreSQL and Redis: those that the settings name, else a stack that all tests share."""
    return _stack(stacks / "shared").up()


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
