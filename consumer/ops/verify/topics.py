"""Reading what was announced: all committed records of a topic, from the oldest kept to where it ends now."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.intake.kafka import end_of_partition, to_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from confluent_kafka import Message

    from consumer.contracts.records import Record
    from consumer.settings import Settings

_TIMEOUT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_CHUNK = 1000
_QUEUED_KILOBYTES = 16 * 1024


@dataclass(slots=True)
class Retained:
    """What retention has left of a topic.

    ``first_kept`` has the time of the first record of every partition that has lost some; ``None``: none is left.
    """

    first_kept: dict[int, datetime | None] = field(default_factory=dict)


class TopicReader:
    """Reads one topic; it joins no group.

    Args:
        settings: librdkafka properties and group.
        bootstrap_servers: Kafka.
        topic: name of the topic.
        partitions: how many it has.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._properties: dict[str, Any] = settings.kafka_client(bootstrap_servers)
        self._group_id = f"{settings.group_id}-verify"
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self.retained = Retained()

    def chunks(self) -> Iterator[list[Record]]:
        """The records, so many at a time as memory holds easily.

        Raises:
            KafkaException: Kafka does not answer, or goes away.
        """
        # With open transactions: one is decided a moment before its records count as committed.
        starts, ends = self._offsets(OffsetSpec.earliest()), self._offsets(OffsetSpec.latest())  # type: ignore[no-untyped-call]
        self.retained.first_kept = {number: None for number, start in starts.items() if start > 0}
        behind = {number for number, end in ends.items() if starts[number] < end}
        consumer = Consumer(
            {
                **self._properties,
                "group.id": self._group_id,
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "queued.max.messages.kbytes": _QUEUED_KILOBYTES,
            }
        )
        with closing(consumer):
            consumer.assign([TopicPartition(p.topic, p.partition, starts[p.partition]) for p in self._partitions])
            while behind:
                first = consumer.poll(_SILENCE_SECONDS)
                if first is None:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001  # its public name
                # What is there already; waiting for a full chunk would cost time.
                messages = [first, *consumer.consume(_CHUNK - 1, 0)]
                yield [record for message in messages if (record := self._take(message, ends, behind)) is not None]

    def _take(self, message: Message, ends: dict[int, int], behind: set[int]) -> Record | None:
        """The record of a message that is not beyond the end; marks of transactions are passed with the end only."""
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
            raise KafkaException(error)
        (_, number), offset = end_of_partition(message)
        if offset >= (ends[number] if error is not None else ends[number] - 1):
            behind.discard(number)
        if error is not None or offset >= ends[number]:
            return None
        record = to_record(message)
        if number in self.retained.first_kept and self.retained.first_kept[number] is None:
            self.retained.first_kept[number] = record.timestamp
        return record

    def _offsets(self, spec: OffsetSpec) -> dict[int, int]:
        # Kept until it has answered: with the client its answers are gone.
        admin = AdminClient(self._properties)
        futures = admin.list_offsets(
            dict.fromkeys(self._partitions, spec),
            isolation_level=IsolationLevel.READ_UNCOMMITTED,
            request_timeout=_TIMEOUT_SECONDS,
        )
        return {place.partition: future.result().offset for place, future in futures.items()}
