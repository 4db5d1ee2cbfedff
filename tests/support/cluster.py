"""Three embedded brokers that replicate everything, each of which may go away without the others."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from consumer.services import broker, process
from consumer.services.embedded.kafka import KafkaServer
from consumer.services.ports import HOST, free_port
from consumer.services.probe import wait_until_answers
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKERS = 3
_RECOVERY_SECONDS = 90
_CLUSTER_ID = "cHJvbWlzZXMgYXJlIGtlcA"

_REPLICATION = {
    **dict.fromkeys(
        (
            "default.replication.factor",
            "offsets.topic.replication.factor",
            "transaction.state.log.replication.factor",
            "share.coordinator.state.topic.replication.factor",
        ),
        str(BROKERS),
    ),
    **dict.fromkeys(
        ("min.insync.replicas", "transaction.state.log.min.isr", "share.coordinator.state.topic.min.isr"),
        str(BROKERS - 1),
    ),
}


class _Node(KafkaServer):
    """A broker that is a controller, too.

    Args:
        folder: its own.
        number: its ``node.id``.
        port: of the broker.
        controllers: ``host:port`` of all controllers, by ``node.id``.
    """

    def __init__(self, folder: Path, number: int, port: int, controllers: dict[int, str]) -> None:
        self._told: list[str] = []
        super().__init__(folder, port, self._told.append)
        self._number = number
        self._controllers = controllers

    def _cluster_id(self) -> str:
        return _CLUSTER_ID

    def _configuration(self) -> dict[str, str]:
        controller = self._controllers[self._number]
        return {
            **broker.one_node(controller=controller, data=str(self.data)),
            **_REPLICATION,
            "node.id": str(self._number),
            "controller.quorum.voters": ",".join(f"{n}@{address}" for n, address in self._controllers.items()),
            "listeners": f"PLAINTEXT://{self.url},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.url}",
        }


class Cluster:
    """The brokers, by number.

    Args:
        folder: below it each has its own.
    """

    def __init__(self, folder: Path) -> None:
        controllers = {number: f"{HOST}:{free_port()}" for number in range(1, BROKERS + 1)}
        self._nodes = {n: _Node(folder / f"broker-{n}", n, free_port(), controllers) for n in controllers}
        self._pids: dict[int, int] = {}
        self.bootstrap_servers = ",".join(node.url for node in self._nodes.values())
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})

    def up(self) -> None:
        """Start all, and wait until they are one cluster."""
        with ThreadPoolExecutor(BROKERS) as pool:
            for prepared in [pool.submit(node.prepare) for node in self._nodes.values()]:
                prepared.result()
        for number in self._nodes:
            self._spawn(number)
        for number in self._nodes:
            self._wait_until_up(number)
        wait_until(self._is_whole, "all brokers know each other", _RECOVERY_SECONDS)

    def down(self) -> None:
        """End all; their data is of no more use."""
        for number in self._pids:
            self._end(number, signal.SIGKILL)

    def restart(self, number: int, by: signal.Signals) -> None:
        """End a broker by a signal, start it again, and wait until it has caught up with the others."""
        self._end(number, by)
        self._spawn(number)
        self._wait_until_up(number)
        wait_until(self.is_in_sync, f"broker {number} has caught up", _RECOVERY_SECONDS)

    def is_in_sync(self) -> bool:
        """Whether every replica of every partition is in sync, those of Kafka's own topics, too."""
        try:
            topics = list(self._admin.list_topics(timeout=_RECOVERY_SECONDS).topics)
            described = self._admin.describe_topics(TopicCollection(topics), request_timeout=_RECOVERY_SECONDS)
            found = [future.result() for future in described.values()]
        except KafkaException:
            return False
        return all(len(partition.isr) == BROKERS for topic in found for partition in topic.partitions)

    def _is_whole(self) -> bool:
        try:
            return len(self._admin.list_topics(timeout=_RECOVERY_SECONDS).brokers) == BROKERS
        except KafkaException:
            return False

    def _spawn(self, number: int) -> None:
        node = self._nodes[number]
        self._pids[number] = process.spawn(node.command(), log=node.log, folder=node.folder)

    def _wait_until_up(self, number: int) -> None:
        node, pid = self._nodes[number], self._pids[number]
        wait_until_answers(
            "kafka", node.url, timeout=_RECOVERY_SECONDS, alive=lambda: process.is_running(pid, node.folder)
        )

    def _end(self, number: int, by: signal.Signals) -> None:
        process.stop(self._pids[number], self._nodes[number].folder, by=by, timeout=_RECOVERY_SECONDS)


@contextmanager
def replicated_cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster of its own; it is ended with the block."""
    cluster = Cluster(folder)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()
