"""Connections to PostgreSQL, Kafka and Redis are cut, or hang half-open; Redis stops, and forgets everything.

After each everything is applied once and announced once, without anybody's help. ``FAULT_SEED`` repeats a history.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
import redis
from confluent_kafka import KafkaException
from sqlalchemy import text

from consumer.announce.group_offsets import GroupOffsets
from consumer.cli.run import EXIT_FORCED
from tests.support.checker import broken_promises
from tests.support.crashing import (
    SEED,
    applied,
    independent_history,
    installation,
    look,
    now,
    publish,
    wait_until_announced,
)
from tests.support.product import wait_until
from tests.support.proxy import Action, Proxy, before_kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumer.services import Services
    from consumer.services.stack import Stack
    from tests.support.crashing import Outgoing
    from tests.support.product import Product
    from tests.support.proxy import Connection

SESSION_SECONDS = 6
STATEMENT_SECONDS = 1
RECOVERY_SECONDS = 60
TOLD_AGAIN_SECONDS = 30
DRAIN_SECONDS = 2
SMALL_BATCH = 5


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    return independent_history(SEED + 4, organizations=6)


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    with installation(
        services,
        tmp_path,
        batch_size=SMALL_BATCH,
        group_protocol="classic",
        session_timeout_seconds=SESSION_SECONDS,
        statement_timeout_seconds=STATEMENT_SECONDS,
    ) as product:
        yield product


def disturb(product: Product, records: list[Outgoing], disturbance: Callable[[], object], **addresses: str) -> None:
    """Run a worker, disturb it in the middle, and let it come to its end."""
    began = now()
    half = len(records) // 2
    publish(product, records[:half])
    worker = product.start("--verbose", **addresses)
    wait_until(lambda: applied(product) >= half // 2, f"much is applied\n{worker.words}")

    disturbance()
    publish(product, records[half:])

    wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)
    assert worker.terminate() == 0, worker.words
    assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 4}\n{worker.words}"


def hang_and_heal(proxy: Proxy) -> None:
    """What is open hangs for good, as it does where something in between has forgotten it."""
    proxy.hang()
    proxy.heal()


@pytest.mark.parametrize("fault", [Proxy.cut, pytest.param(hang_and_heal, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ["postgresql", "kafka", "redis"])
def test_connections_break_under_load(
    product: Product, services: Services, records: list[Outgoing], name: str, fault: Callable[[Proxy], None]
) -> None:
    with ExitStack() as stack:
        if name == "kafka":
            proxy = stack.enter_context(closing(before_kafka(services)))
            addresses = {"kafka_bootstrap_servers": proxy.address}
        else:
            setting = {"postgresql": "database_url", "redis": "redis_url"}[name]
            url = getattr(product.settings, setting)
            proxy = stack.enter_context(closing(Proxy(url)))
            addresses = {setting: proxy.url(url)}

        disturb(product, records, lambda: fault(proxy), **addresses)


@pytest.mark.parametrize("fault", [Proxy.cut, pytest.param(hang_and_heal, marks=pytest.mark.long)])
def test_connections_to_postgresql_break_while_there_is_nothing_to_do(
    product: Product, records: list[Outgoing], fault: Callable[[Proxy], None]
) -> None:
    began = now()
    url = product.settings.database_url or ""
    with closing(Proxy(url)) as proxy:
        worker = product.start("--verbose", database_url=proxy.url(url))
        publish(product, records)
        product.wait_until_announced(worker)

        fault(proxy)
        publish(product, records)

        wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)
        assert worker.terminate() == 0, worker.words
        assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 4}\n{worker.words}"


def test_committed_offsets_are_told_again_soon_after_a_connection_hangs(
    product: Product, services: Services, records: list[Outgoing]
) -> None:
    """Until they are nothing is announced; librdkafka itself would wait for a minute."""
    publish(product, records)
    product.run_until_caught_up()
    with (
        closing(before_kafka(services)) as proxy,
        closing(GroupOffsets(product.settings, proxy.address)) as group,
    ):
        partitions = list(product.ends())
        assert group.stable(partitions).keys() == set(partitions)

        hang_and_heal(proxy)
        wait_until(lambda: told(group, partitions), "the offsets are told again", TOLD_AGAIN_SECONDS)


def told(group: GroupOffsets, partitions: list[tuple[str, int]]) -> bool:
    """Whether Kafka tells the offsets of all partitions; where it does not, the question takes its time."""
    try:
        return group.stable(partitions).keys() == set(partitions)
    except KafkaException:
        return False


def test_a_worker_is_told_to_end_while_its_main_thread_waits_for_postgresql(
    services: Services, tmp_path: Path, records: list[Outgoing]
) -> None:
    """Longer than this test: no handler of a signal that is written in Python runs meanwhile."""
    with (
        installation(services, tmp_path, drain_timeout_seconds=DRAIN_SECONDS, statement_timeout_seconds=300) as product,
        closing(Proxy(product.settings.database_url or "")) as proxy,
    ):
        worker = product.start("--verbose", database_url=proxy.url(product.settings.database_url or ""))
        publish(product, records)
        wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)

        proxy.hang()
        assert proxy.has_swallowed.wait(RECOVERY_SECONDS), worker.words
        assert worker.terminate() == EXIT_FORCED, worker.words
        assert "ended by force" in worker.words, worker.words


def test_a_second_signal_ends_a_worker_at_once(services: Services, tmp_path: Path, records: list[Outgoing]) -> None:
    with (
        installation(services, tmp_path, drain_timeout_seconds=200, statement_timeout_seconds=200) as product,
        closing(Proxy(product.settings.database_url or "")) as proxy,
    ):
        began = now()
        worker = product.start("--verbose", database_url=proxy.url(product.settings.database_url or ""))
        publish(product, records)
        wait_until(lambda: applied(product) > 0, f"something is applied\n{worker.words}")
        proxy.hang()
        assert proxy.has_swallowed.wait(RECOVERY_SECONDS), worker.words

        # Of two signals of one kind that come together the second may be lost.
        os.kill(worker.pid, signal.SIGTERM)
        os.kill(worker.pid, signal.SIGINT)
        assert worker.wait() == EXIT_FORCED, worker.words
        product.run_until_caught_up()
        assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 4}\n{worker.words}"


class Moment(Proxy):
    """A proxy before PostgreSQL that does something to a connection once, at a certain moment of a batch.

    Args:
        url: the server.
        is_it: whether what a client sends, in a transaction that moves offsets, is the moment.
        action: what it does.
    """

    def __init__(self, url: str, is_it: Callable[[bytes], bool], action: Action) -> None:
        super().__init__(url)
        self.has_come = threading.Event()
        self._is_it = is_it
        self._action = action

    def judge(self, connection: Connection, data: bytes) -> Action:
        connection.is_marked = connection.is_marked or b"UPDATE consumer_offset" in data
        if connection.is_marked and self._is_it(data) and not self.has_come.is_set():
            self.has_come.set()
            return self._action
        return Action.FORWARD


def is_copy(data: bytes) -> bool:
    return data.startswith(b"d")


def is_commit(data: bytes) -> bool:
    return b"COMMIT\0" in data


@pytest.mark.parametrize(
    ("moment", "action"),
    [
        (is_copy, Action.CUT),
        pytest.param(is_copy, Action.HANG, marks=pytest.mark.long),
        pytest.param(is_commit, Action.HANG, marks=pytest.mark.long),
        (is_commit, Action.HANG_AFTER),
    ],
)
def test_a_connection_to_postgresql_breaks_in_a_batch(
    product: Product, records: list[Outgoing], moment: Callable[[bytes], bool], action: Action
) -> None:
    """One that hangs leaves a session behind that holds the rows of the partitions, without any client."""
    url = product.settings.database_url or ""
    with closing(Moment(url, moment, action)) as proxy:
        disturb(
            product,
            records,
            lambda: wait_until(proxy.has_come.is_set, "the moment comes"),
            database_url=f"{proxy.url(url)}?sslmode=disable",
        )


@pytest.mark.long
def test_a_worker_is_stopped_in_a_copy_and_another_takes_over(product: Product, records: list[Outgoing]) -> None:
    """PostgreSQL waits for the data of a COPY without any time-out, and keeps the rows of the partitions locked."""
    began = now()
    url = product.settings.database_url or ""
    with closing(Moment(url, is_copy, Action.HANG)) as proxy, product.engine.connect() as bystander:
        bystander.execute(text("LOCK TABLE consumer_offset IN ROW EXCLUSIVE MODE"))
        victim = product.start("--verbose", database_url=f"{proxy.url(url)}?sslmode=disable")
        publish(product, records)
        assert proxy.has_come.wait(RECOVERY_SECONDS), victim.words
        os.kill(victim.pid, signal.SIGSTOP)

        other = product.start("--verbose")
        wait_until_announced(product, other, product.ends(), RECOVERY_SECONDS)
        assert "stuck in a COPY" in other.words, other.words
        bystander.execute(text("SELECT 1"))
        os.kill(victim.pid, signal.SIGCONT)
        assert (victim.terminate(), other.terminate()) == (0, 0), f"{victim.words}\n{other.words}"
        words = f"FAULT_SEED={SEED + 4}\n{victim.words}\n{other.words}"
        assert broken_promises(look(product, began).seen) == [], words


# --- Redis -----------------------------------------------------------------------------------------------------------


def test_redis_stops_and_goes_on(stack: Stack, tmp_path: Path, records: list[Outgoing]) -> None:
    services = stack.up()
    pid = stack.status()["redis"].pid
    assert pid is not None
    with installation(services, tmp_path, batch_size=SMALL_BATCH) as product:

        def stop() -> None:
            os.kill(pid, signal.SIGSTOP)
            try:
                before = applied(product)
                publish(product, records[: len(records) // 4])
                wait_until(lambda: applied(product) > before + len(records) // 4, "it goes on without Redis")
            finally:
                os.kill(pid, signal.SIGCONT)

        disturb(product, records, stop)


def test_redis_forgets_everything(stack: Stack, tmp_path: Path, records: list[Outgoing]) -> None:
    services = stack.up()
    with (
        installation(services, tmp_path, batch_size=SMALL_BATCH) as product,
        closing(redis.Redis.from_url(services.redis_url)) as client,
    ):
        disturb(product, records, client.flushall)
