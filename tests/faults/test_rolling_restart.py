"""Brokers of a replicated cluster restart one after the other, one of them without warning, under load."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.publishing import Publisher
from tests.support.checker import broken_promises
from tests.support.cluster import replicated_cluster
from tests.support.crashing import SEED, applied, installation, observe, wait_until_announced
from tests.support.product import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.services import Services

RECOVERY_SECONDS = 120
RESTARTS = ((1, signal.SIGTERM), (2, signal.SIGKILL), (3, signal.SIGTERM))


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_brokers_restart_one_after_the_other(services: Services, tmp_path: Path, protocol: str) -> None:
    """Leaders and coordinators move from broker to broker; what is acknowledged is on two of them."""
    with (
        replicated_cluster(tmp_path) as cluster,
        installation(
            replace(services, kafka_bootstrap_servers=cluster.bootstrap_servers),
            tmp_path,
            group_protocol=protocol,
            topic_partitions=6,
        ) as product,
    ):
        workers = [product.start("--verbose"), product.start("--verbose")]
        publisher = Publisher(product, SEED)
        publisher.go_on()
        for number, by in RESTARTS:
            before = applied(product)
            wait_until(lambda: applied(product) > before, "they go on", RECOVERY_SECONDS)  # noqa: B023
            cluster.restart(number, by)
        publisher.pause()

        wait_until_announced(product, workers[0], product.ends(), RECOVERY_SECONDS)
        words = "\n".join([f"FAULT_SEED={SEED}", *(worker.words for worker in workers)])
        assert [worker.terminate() for worker in workers] == [0, 0], words
        assert publisher.refused == [], words
        seen = observe(product)
        assert publisher.acknowledged <= {record.place for record in seen.inputs}, words
        assert broken_promises(seen) == [], words
