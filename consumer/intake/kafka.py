"""The Kafka side of intake: the consumer's configuration, and what the cluster says of itself."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from consumer.contracts.records import Record
from consumer.errors import UsageError
from consumer.store.streams import PartitionId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Message

    from consumer.contracts.records import Header
    from consumer.intake.assignment import Partition
    from consumer.settings import Settings

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10.0
_CLOSE_SECONDS = 5.0
_PAUSE_SECONDS = 0.05
_YEAR_10000 = 253_402_300_800_000
"""Milliseconds since 1970: the first that Python's calendar does not have."""

# A fetch is counted as it comes, compressed, and held unpacked: ten times as much is usual. So a fetch is small, and
# what it exceeds ``prefetch_bytes`` by, too. A record that is larger comes all the same, alone.
_FETCH_BYTES = 1024 * 1024
_FETCH_PARTITION_BYTES = 256 * 1024
_QUEUED_MESSAGES = 2_000
"""Records of a partition that are held ready, about; small ones take more room than their bytes."""


def make_consumer(settings: Settings, bootstrap_servers: str) -> Consumer:
    """Make the worker's consumer. PostgreSQL holds its position; Kafka's committed offset is a mirror of it.

    Args:
        settings: group, limits, time-outs and librdkafka properties.
        bootstrap_servers: Kafka.
    """
    properties: dict[str, Any] = {
        # So long a connection may be silent on which an answer is due; a large answer takes its time.
        "socket.timeout.ms": int(2 * settings.session_timeout_seconds * 1000),
        **settings.kafka_client(bootstrap_servers, is_polled=True),
        "group.id": settings.group_id,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        # A position that Kafka no longer has must stop the worker, never make it skip (DESIGN section 3).
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        # Then the fetch of a committed offset waits for a predecessor's open transaction (DESIGN section 2).
        "isolation.level": "read_committed",
        "max.poll.interval.ms": int(settings.max_poll_interval_seconds * 1000),
        "queued.max.messages.kbytes": settings.prefetch_bytes // 1024,
        "queued.min.messages": _QUEUED_MESSAGES,
        "fetch.max.bytes": _FETCH_BYTES,
        "fetch.message.max.bytes": _FETCH_PARTITION_BYTES,
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 50,
    }
    if settings.group_protocol == "consumer":
        properties["group.protocol"] = "consumer"
        # Kafka's default deals out one topic after the other: a second worker could get catalog events only.
        properties.setdefault("group.remote.assignor", "range")
    else:
        properties["partition.assignment.strategy"] = "cooperative-sticky"
        properties["session.timeout.ms"] = int(settings.session_timeout_seconds * 1000)
        properties["heartbeat.interval.ms"] = int(settings.session_timeout_seconds * 1000 / 4)
    if settings.instance_id is not None:
        properties["group.instance.id"] = settings.instance_id
    return Consumer(properties)


def close_consumer(consumer: Consumer) -> None:
    """Leave the group; where Kafka is away it is left to find out, librdkafka would wait for an answer."""
    closing = threading.Thread(target=consumer.close, name="close", daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the cluster names it."""

    name: str
    id: str
    partitions: int


class Cluster:
    """Questions to the Kafka cluster.

    Args:
        settings: librdkafka properties.
        bootstrap_servers: Kafka.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self._settings = settings
        # Room for a second attempt within the time that a start may wait for Kafka.
        self._timeout = min(_TIMEOUT_SECONDS, settings.startup_timeout_seconds / 2)
        # A connection on which an answer is overdue is given up in time for a second attempt.
        impatient = {"socket.timeout.ms": int(self._timeout * 500)}
        self._admin = AdminClient({**impatient, **settings.kafka_client(bootstrap_servers)})

    def cluster_id(self, topic: str) -> str:
        """The id of the cluster, asked for with a topic that exists.

        Not by ``describe_cluster``: librdkafka 2.16 aborts the process where Kafka names no broker, as it does for a
        moment after an outage of all of them.
        """
        return str(self._admin.list_topics(topic, timeout=self._timeout).cluster_id)

    def topics(self, names: Sequence[str]) -> dict[str, Topic]:
        """The topics of these names.

        Raises:
            UsageError: one of them is missing; names it, with the remedy.
            KafkaException: the cluster does not answer.
        """
        futures = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=self._timeout)
        found = {}
        for name, future in futures.items():
            try:
                description = future.result()
            except KafkaException as error:
                if error.args[0].name() == "UNKNOWN_TOPIC_OR_PART":
                    message = f"Kafka topic {name!r} does not exist; run `release-consumer setup`"
                    raise UsageError(message) from None
                raise
            found[name] = Topic(name, str(description.topic_id), len(description.partitions))
        return found

    def create_missing_topics(self) -> dict[str, bool]:
        """Create the topics that do not exist; those that do are left as they are. Waits until all can be described.

        Returns:
            name -> whether it was created just now.

        Raises:
            KafkaException: the cluster refused, or does not answer.
        """
        settings = self._settings
        topics = settings.topics
        config = {"max.message.bytes": str(settings.max_message_bytes)}
        partitions = dict.fromkeys(topics.model_dump().values(), settings.topic_partitions)
        partitions[topics.catalog_events] = settings.catalog_partitions
        new = [
            NewTopic(name, number, settings.topic_replication_factor, config=config)
            for name, number in partitions.items()
        ]
        created = {}
        for name, future in self._admin.create_topics(new, request_timeout=self._timeout).items():
            try:
                future.result()
                created[name] = True
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
                created[name] = False
        self._wait_for_topics(list(created))
        return created

    def _wait_for_topics(self, names: Sequence[str]) -> None:
        """A broker hears of a new topic a moment after the controller has answered."""
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                self.topics(names)
            except UsageError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def partitions(self, names: Sequence[str]) -> dict[tuple[str, int], PartitionId]:
        """All partitions of these topics, with the ids that tell a topic created anew (DESIGN section 1)."""
        topics = self.topics(names)
        cluster_id = self.cluster_id(names[0])
        return {
            (topic.name, number): PartitionId(cluster_id, topic.id, topic.name, number)
            for topic in topics.values()
            for number in range(topic.partitions)
        }

    def earliest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The first offset that each partition still has."""
        return self._offsets(partitions, OffsetSpec.earliest())  # type: ignore[no-untyped-call]  # untyped there

    def latest(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The offset after the last committed record of each partition."""
        return self._offsets(partitions, OffsetSpec.latest())  # type: ignore[no-untyped-call]  # untyped there

    def since(self, partitions: Sequence[Partition], instant: datetime) -> dict[Partition, int]:
        """The first record of each partition that is not older; those that have none are left out."""
        milliseconds = ceil(instant.timestamp() * 1000)
        found = self._offsets(partitions, OffsetSpec.for_timestamp(milliseconds))
        return {partition: offset for partition, offset in found.items() if offset >= 0}

    def _offsets(self, partitions: Sequence[Partition], spec: OffsetSpec) -> dict[Partition, int]:
        asked = {TopicPartition(topic, number): spec for topic, number in partitions}
        futures = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=self._timeout
        )
        return {(partition.topic, partition.partition): future.result().offset for partition, future in futures.items()}


def to_record(message: Message) -> Record:
    """A message without an error, as the rest of the package knows it."""
    (topic, partition), offset = end_of_partition(message)
    _, milliseconds = message.timestamp()
    # A producer may say any time, such as one in microseconds; what no calendar has is no time.
    timestamp = datetime.fromtimestamp(milliseconds / 1000, UTC) if 0 <= milliseconds < _YEAR_10000 else None
    return Record(topic, partition, offset, message.key(), message.value(), _headers(message), timestamp)


def _headers(message: Message) -> Sequence[Header]:
    """Headers of a message; none where Kafka's client cannot tell them: where a name is not UTF-8."""
    try:
        headers: Any = message.headers()
    except SystemError:
        # Raised by confluent-kafka 2.16 in place of a UnicodeDecodeError. A worker that ended here would end for ever.
        log.warning("%s-%s@%s: a header's name is not UTF-8; it is read as if it had none", *_place(message))
        return ()
    return headers or ()


def _place(message: Message) -> tuple[str, int, int]:
    (topic, partition), offset = end_of_partition(message)
    return topic, partition, offset


def end_of_partition(message: Message) -> tuple[Partition, int]:
    """Partition and offset of a message, also of one that only says that there are no more."""
    return (str(message.topic()), int(message.partition() or 0)), int(message.offset() or 0)
