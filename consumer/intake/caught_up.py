"""When a worker that runs until it has caught up is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from consumer.announce.progress import parse_progress
from consumer.store import streams
from consumer.store.database import fetch_one, sql, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.intake.assignment import Partition
    from consumer.intake.kafka import Cluster
    from consumer.settings import Settings
    from consumer.store.streams import Stream

_TIMEOUT_SECONDS = 5.0


class Target:
    """All that was in the input topics at one moment: applied, announced, and nothing of it parked.

    PostgreSQL says what is applied, also after an operator moved an offset back; the metadata of Kafka's committed
    offset says what of that is announced. Whichever worker did it counts.

    Args:
        settings: group and topics.
        cluster: asked once, now, for the ends of the topics.
        engine: PostgreSQL, for what is applied and what is parked.
    """

    def __init__(self, settings: Settings, cluster: Cluster, engine: Engine) -> None:
        self._group_id = settings.group_id
        self._engine = engine
        self._ids = cluster.partitions(settings.topics.inputs)
        earliest = cluster.earliest(list(self._ids))
        latest = cluster.latest(list(self._ids))
        self._ends: dict[Partition, int] = {p: latest[p] for p in self._ids if latest[p] > earliest[p]}
        self._applied: dict[Partition, Stream] = {}

    def is_reached(self, consumer: Consumer) -> bool:
        """Whether the group has come that far.

        Raises:
            KafkaException, psycopg2.Error: a service does not answer now.
        """
        if self._ends:
            self._note_applied()
            self._note_announced(consumer)
        return not self._ends and not self._parked()

    def _note_applied(self) -> None:
        """Remember partitions as they stood when first seen at their end: later announcements are not waited for."""
        with transaction(self._engine) as cursor:
            positions = streams.find_positions(cursor, self._group_id)
        for partition, end in self._ends.items():
            stream = positions.get(self._ids[partition])
            if stream is not None and stream.next_offset >= end:
                self._applied.setdefault(partition, stream)

    def _note_announced(self, consumer: Consumer) -> None:
        asked = [TopicPartition(*partition) for partition in self._ends if partition in self._applied]
        for found in consumer.committed(asked, timeout=_TIMEOUT_SECONDS) if asked else ():
            partition = (found.topic, found.partition)
            stream = self._applied[partition]
            announced = parse_progress(found.metadata, stream.name)
            if found.offset >= self._ends[partition] and announced is not None and announced >= stream.next_seq - 1:
                del self._ends[partition]

    def _parked(self) -> bool:
        with transaction(self._engine) as cursor:
            cursor.execute(sql("has_parked"), {"group": self._group_id})
            return bool(fetch_one(cursor)[0])
