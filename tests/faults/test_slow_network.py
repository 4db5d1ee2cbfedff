"""The network is slow: everything takes longer, and nothing else happens.

``FAULT_SEED`` repeats a history.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.support.checker import broken_promises
from tests.support.crashing import (
    SEED,
    applied,
    independent_history,
    installation,
    look,
    now,
    owners,
    publish,
    wait_until_announced,
)
from tests.support.product import wait_until
from tests.support.proxy import Proxy, Slowness, before_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services
    from tests.support.crashing import Outgoing
    from tests.support.product import Product

SESSION_SECONDS = 6
STATEMENT_SECONDS = 1
RECOVERY_SECONDS = 100
BATCH = 100

# A line across an ocean, with little bandwidth.
FAR = Slowness(latency_seconds=0.03, jitter_seconds=0.04, bytes_per_second=60_000)
# Nearly nothing comes through: every answer is later than anybody waits for it.
CHOKED = Slowness(latency_seconds=1.5 * SESSION_SECONDS, jitter_seconds=1, bytes_per_second=60_000)


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    return independent_history(SEED + 5, organizations=6)


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    with installation(
        services,
        tmp_path,
        session_timeout_seconds=SESSION_SECONDS,
        transaction_timeout_seconds=SESSION_SECONDS,
        statement_timeout_seconds=STATEMENT_SECONDS,
        group_protocol="classic",
        batch_size=BATCH,
    ) as product:
        yield product


class Lines(ExitStack):
    """The connections of one worker, all through proxies.

    Args:
        services: the servers.
        product: whose database it is.
    """

    def __init__(self, services: Services, product: Product) -> None:
        super().__init__()
        url = product.settings.database_url or ""
        kafka, postgresql = before_kafka(services), Proxy(url)
        redis = Proxy(services.redis_url)
        self._proxies = [self.enter_context(closing(proxy)) for proxy in (kafka, postgresql, redis)]
        self.addresses = {
            "kafka_bootstrap_servers": kafka.address,
            "database_url": postgresql.url(url),
            "redis_url": redis.url(services.redis_url),
        }

    def slow(self, slowness: Slowness) -> None:
        """Slow all of them."""
        for proxy in self._proxies:
            proxy.slow(slowness)

    def heal(self) -> None:
        """Let them be quick again."""
        for proxy in self._proxies:
            proxy.heal()


@pytest.mark.timeout(240)
@pytest.mark.long
def test_a_slow_network_slows_workers_and_does_nothing_else(
    services: Services, product: Product, records: list[Outgoing]
) -> None:
    with Lines(services, product) as one, Lines(services, product) as other:
        began = now()
        for lines in (one, other):
            lines.slow(FAR)
        workers = [product.start("--verbose", **lines.addresses) for lines in (one, other)]
        for begin in range(0, len(records), len(records) // 4):
            before = applied(product)
            publish(product, records[begin : begin + len(records) // 4])
            wait_until(lambda: applied(product) > before, "they go on", RECOVERY_SECONDS)  # noqa: B023

        wait_until_announced(product, workers[0], product.ends(), RECOVERY_SECONDS)
        words = "\n".join([f"FAULT_SEED={SEED + 5}", *(worker.words for worker in workers)])
        assert [worker.terminate() for worker in workers] == [0, 0], words
        # That the group changed while the second worker joined is news, and no warning.
        warnings = [line for line in words.splitlines() if " WARNING " in line]
        assert [line for line in warnings if "lost: " in line or "tried again" in line] == [], words
        assert broken_promises(look(product, began).seen) == [], words


@pytest.mark.timeout(240)
@pytest.mark.long
def test_a_network_becomes_so_slow_that_every_answer_is_too_late(
    services: Services, product: Product, records: list[Outgoing]
) -> None:
    """Answers come after all, when they are no longer waited for: nothing happens twice."""
    half = len(records) // 2
    with Lines(services, product) as one, Lines(services, product) as other:
        began = now()
        workers = [product.start("--verbose", **lines.addresses) for lines in (one, other)]
        publish(product, records[:half])
        wait_until(lambda: owners(product) == {worker.pid for worker in workers}, "both own partitions")
        wait_until(lambda: applied(product) >= half // 2, "much is applied", RECOVERY_SECONDS)

        one.slow(CHOKED)
        publish(product, records[half:])
        workers[0].wait_for_words("lost: ", RECOVERY_SECONDS)
        one.heal()

        wait_until_announced(product, workers[1], product.ends(), RECOVERY_SECONDS)
        words = "\n".join([f"FAULT_SEED={SEED + 5}", *(worker.words for worker in workers)])
        assert [worker.terminate() for worker in workers] == [0, 0], words
        assert broken_promises(look(product, began).seen) == [], words
