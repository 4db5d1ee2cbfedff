"""Reading what was announced: all committed records of a topic, from the oldest kept to where it ends now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.ops.topic_records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from consumer.contracts.records import Record
    from consumer.settings import Settings

_TIMEOUT_SECONDS = 10.0


class TopicReader:
    """Reads one topic; it joins no group.

    ``first_kept`` tells, of every partition that has lost records to retention, the time of its first record; ``None``:
    none is left.

    Args:
        settings: librdkafka properties and group.
        bootstrap_servers: Kafka.
        topic: name of the topic.
        partitions: how many it has.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._settings = settings
        self._servers = bootstrap_servers
        self._topic = topic
        self._partitions = partitions
        self.first_kept: dict[int, datetime | None] = {}

    def chunks(self) -> Iterator[list[Record]]:
        """The records, so many at a time as memory holds easily.

        Raises:
            KafkaException: Kafka refuses, or does not answer.
            ServiceUnavailable: Kafka says nothing for too long.
        """
        # With open transactions: one is decided a moment before its records count as committed.
        starts, ends = self._offsets(OffsetSpec.earliest()), self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]  # there
        self.first_kept = {number: None for number, start in starts.items() if start > 0}
        spans = {(self._topic, number): (start, ends[number]) for number, start in starts.items()}
        for records in read_records(self._settings, self._servers, spans):
            for record in records:
                number = record.partition
                if number in self.first_kept and self.first_kept[number] is None:
                    self.first_kept[number] = record.timestamp
            yield records

    def _offsets(self, spec: OffsetSpec) -> dict[int, int]:
        asked = {TopicPartition(self._topic, number): spec for number in range(self._partitions)}
        # Kept until it has answered: with the client its answers are gone.
        admin = AdminClient(self._settings.kafka_client(self._servers))
        futures = admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_TIMEOUT_SECONDS
        )
        return {place.partition: future.result().offset for place, future in futures.items()}
