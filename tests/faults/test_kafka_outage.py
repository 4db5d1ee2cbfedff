"""Kafka is away for longer than the group keeps a silent member: the worker goes on by itself, or ends when told.

``FAULT_SEED`` repeats a history.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
import redis

from consumer.cli.run import EXIT_FORCED
from consumer.contracts.events import CommitData, CommitsPushed, ReleaseCreated
from consumer.ids.lock import release_lock_key
from tests.support.brokerless import Brokerless
from tests.support.checker import broken_promises
from tests.support.crashing import (
    SEED,
    applied,
    independent_history,
    installation,
    look,
    now,
    parked,
    publish,
    wait_until_announced,
)
from tests.support.mortal import killed
from tests.support.product import wait_until
from tests.support.proxy import Proxy, before_kafka

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consumer.services import Services
    from consumer.services.stack import Stack

SESSION_SECONDS = 6
# Until it is started again, which takes it another 5 to 11 s.
AWAY_SECONDS = SESSION_SECONDS + 1
RECOVERY_SECONDS = 60
DRAIN_SECONDS = 2
FENCINGS = 4
SMALL_BATCH = 5


@pytest.mark.long
def test_kafka_is_away_for_longer_than_a_session(stack: Stack, tmp_path: Path) -> None:
    """With both group protocols at once: most of the time is Kafka's."""
    records = independent_history(SEED + 3)
    half = len(records) // 2
    services = stack.up()
    with ExitStack() as everything:
        began = now()
        runs = []
        for protocol in ("classic", "consumer"):
            product = everything.enter_context(
                installation(
                    services,
                    tmp_path,
                    batch_size=SMALL_BATCH,
                    group_protocol=protocol,
                    session_timeout_seconds=SESSION_SECONDS,
                )
            )
            publish(product, records[:half])
            runs.append((product, product.start("--verbose")))
        for product, worker in runs:
            wait_until(lambda: applied(product) >= half // 2, f"much is applied\n{worker.words}")  # noqa: B023

        with killed(stack, "kafka"):
            over = time.monotonic() + AWAY_SECONDS
            wait_until(lambda: time.monotonic() > over, "it is away for long", 2 * AWAY_SECONDS)
        for product, _ in runs:
            publish(product, records[half:])

        for product, worker in runs:
            wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)
            assert worker.terminate() == 0, worker.words
            assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 3}\n{worker.words}"


@pytest.mark.parametrize("away", [Proxy.hang, Proxy.refuse])
def test_a_worker_is_told_to_end_while_kafka_is_away_and_nothing_is_left_to_do(
    services: Services, tmp_path: Path, away: Callable[[Proxy], None]
) -> None:
    with (
        installation(services, tmp_path, drain_timeout_seconds=DRAIN_SECONDS) as product,
        closing(before_kafka(services)) as proxy,
    ):
        product.publish(release("1.0"))
        worker = product.start("--verbose", kafka_bootstrap_servers=proxy.address)
        wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)

        away(proxy)
        assert worker.terminate() == 0, worker.words


@pytest.mark.parametrize("away", [Proxy.hang, Proxy.refuse])
def test_a_worker_is_told_to_end_while_kafka_is_away_and_something_is_left_to_announce(
    services: Services, tmp_path: Path, away: Callable[[Proxy], None]
) -> None:
    settings = {"group_protocol": "classic", "session_timeout_seconds": SESSION_SECONDS}
    with (
        installation(services, tmp_path, drain_timeout_seconds=DRAIN_SECONDS, **settings) as product,
        closing(before_kafka(services)) as proxy,
        closing(redis.Redis.from_url(services.redis_url)) as client,
    ):
        began = now()
        product.publish(release("1.0"))
        product.run_until_caught_up()
        (row,) = product.rows("SELECT organization_id, id FROM release")
        lock = release_lock_key(*row)
        client.set(lock, "another", px=60_000)
        commits = [CommitData(id="1" * 40)]
        product.publish(CommitsPushed(id="1", source="/ci", organization="acme", version="1.0", commits=commits))
        worker = product.start("--verbose", kafka_bootstrap_servers=proxy.address)
        wait_until(lambda: parked(product) == 1, f"an event waits\n{worker.words}")
        wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)

        away(proxy)
        # What waits is tried again without Kafka; its announcement has to stay behind.
        client.delete(lock)
        wait_until(lambda: parked(product) == 0, f"the event is applied\n{worker.words}")
        assert worker.terminate() == EXIT_FORCED, worker.words

        product.run_until_caught_up()
        assert broken_promises(look(product, began).seen) == []


class Fencing(Proxy):
    """A proxy before Kafka whose metadata name no broker for a while, as Kafka's do while all brokers are fenced."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.kafka_bootstrap_servers, renames=True)
        self.is_fencing = False
        self.fenced = 0

    def edit(self, answer: bytes) -> bytes:
        metadata = _METADATA.match(answer)
        if not self.is_fencing or metadata is None:
            return answer
        self.fenced += 1
        return metadata[1] + b"\x01" + metadata[2] + b"\xff" * 4 + answer[metadata.end() :]


# Correlation id, tags, throttle time; one broker; id of the cluster; id of the controller.
_METADATA = re.compile(rb"(.{4}\0.{4})\x02.{4}\x0a127\.0\.0\.1.{4}\0\0(\x17.{22}).{4}", re.DOTALL)


@pytest.mark.long
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_kafka_names_no_broker_for_a_while(services: Services, tmp_path: Path, protocol: str) -> None:
    """Kafka's client drops all brokers then, and has to look for some anew; each client of a worker does."""
    records = independent_history(SEED + 7)
    portion = len(records) // FENCINGS
    with (
        installation(
            services,
            tmp_path,
            group_protocol=protocol,
            session_timeout_seconds=SESSION_SECONDS,
            transaction_timeout_seconds=SESSION_SECONDS,
        ) as product,
        closing(Fencing(services)) as proxy,
    ):
        began = now()
        worker = product.start(
            "--verbose", kafka_bootstrap_servers=proxy.address, kafka__topic_metadata_refresh_interval_ms=500
        )
        for number in range(FENCINGS):
            before = proxy.fenced
            proxy.is_fencing = True
            wait_until(lambda: proxy.fenced > before + 3, f"no broker is named\n{worker.words}")  # noqa: B023
            proxy.is_fencing = False
            publish(product, records[number * portion : (number + 1) * portion])
            wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)

        assert worker.terminate() == 0, worker.words
        assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 7}\n{worker.words}"


ASK = """
import sys
from confluent_kafka import KafkaException
from consumer.intake.kafka import Cluster
from consumer.settings import Settings

cluster = Cluster(Settings(startup_timeout_seconds=4), sys.argv[1])
print(cluster.cluster_id("any"), flush=True)
input()
try:
    cluster.cluster_id("any")
except KafkaException as error:
    print(error.args[0].name())
"""


def test_a_cluster_that_names_no_broker_is_an_error_like_others() -> None:
    """After an outage of all brokers; librdkafka may abort the whole process, so another one asks."""
    with (
        closing(Brokerless()) as kafka,
        subprocess.Popen(
            [sys.executable, "-c", ASK, kafka.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as asking,
    ):
        assert asking.stdout is not None
        assert asking.stdout.readline() == "abc\n"
        kafka.names_itself = False
        told, _ = asking.communicate("go on\n", RECOVERY_SECONDS)
    assert (asking.returncode, told) == (0, "_PARTIAL\n")


def release(version: str) -> ReleaseCreated:
    return ReleaseCreated(id=version, source="/ci", organization="acme", version=version, projects=["web"])
