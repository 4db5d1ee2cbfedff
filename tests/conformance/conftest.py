"""Every scenario runs against the reference model and against the product."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import orjson
import pytest
from sqlalchemy import text

from consumer.contracts import describe
from consumer.errors import UsageError
from consumer.store import tables
from consumer.store.reading.groups import show_group
from consumer.store.reading.releases import show_release
from consumer.store.working_set import FALLBACK_REPOSITORY
from tests.conformance.system import ModelSystem
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services
    from tests.conformance.system import Json, System

# What the worker knows by heart stays: its positions, the numbers of its announcements.
_FORGOTTEN = [
    table for table in reversed(tables.metadata.sorted_tables) if table not in (tables.consumer_offset, tables.outbox)
]


class ProductSystem:
    """The product behind the protocol: one worker that lives as long as the session."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._worker = product.start()
        self._reader = product.reader(product.settings.topics.activity)
        self._activities: list[Json] = []

    def forget(self) -> None:
        """Begin anew without any data, after all that the last scenario published has been announced."""
        self.process()
        with self._product.engine.begin() as connection:
            for table in _FORGOTTEN:
                connection.execute(table.delete())
        self._reader.read()
        self._activities = []

    def publish(self, *events: AnyEvent | Json) -> None:
        """Send events through Kafka."""
        self._product.publish(*events)

    def process(self) -> None:
        """Wait until the worker has announced everything."""
        self._product.wait_until_announced(self._worker)

    def release(self, organization: str, version: str) -> Json | None:
        """Read a release as ``releases show`` does."""
        return self._shown(show_release, organization, version)

    def group(self, organization: str, short_id: str) -> Json | None:
        """Read a group as ``groups show`` does."""
        return self._shown(show_group, organization, short_id)

    def activities(self) -> list[Json]:
        """Read the activity topic on from where it was read to."""
        self._activities += [orjson.loads(message.value() or b"") for message in self._reader.read()]
        return list(self._activities)

    def dead_letters(self) -> list[Json]:
        """Read dead letters, and what their records say of themselves."""
        with self._product.engine.connect() as connection:
            letters = connection.execute(tables.dead_letter.select()).all()
        events = [describe(letter.value, None) for letter in letters]
        return [
            {"source": event.source, "id": event.id, "reason": letter.reason, "violations": letter.errors}
            for letter, event in zip(letters, events, strict=True)
        ]

    def fallback_repository(self, organization: str) -> str:
        """Name it after the id of the organization; nothing has the name while that is not known."""
        query = text("SELECT id FROM organization WHERE slug = :slug")
        with self._product.engine.connect() as connection:
            return FALLBACK_REPOSITORY.format(id=connection.execute(query, {"slug": organization}).scalar())

    def _shown(self, show: Callable[[Connection, str, str], Json], organization: str, name: str) -> Json | None:
        with self._product.engine.connect() as connection:
            try:
                return show(connection, organization, name)
            except UsageError:
                return None


@pytest.fixture(scope="session")
def running_product(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductSystem]:
    """The product with a worker that is shared by all scenarios."""
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, tmp_path_factory.mktemp("product"))) as product,
    ):
        product.set_up()
        yield ProductSystem(product)


@pytest.fixture
def product_system(running_product: ProductSystem) -> ProductSystem:
    """The running product, without any data."""
    running_product.forget()
    return running_product


@pytest.fixture(params=["model", "product"])
def system(request: pytest.FixtureRequest) -> System:
    """The system under test, without any data; ``product_system`` is the product on its real services."""
    if request.param == "model":
        return ModelSystem()
    return cast("System", request.getfixturevalue("product_system"))
