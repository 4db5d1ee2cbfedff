"""When a worker that runs until it has caught up is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, TopicPartition

from consumer.store.database import fetch_one, sql, transaction

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.intake.assignment import Partition
    from consumer.intake.kafka import Cluster
    from consumer.settings import Settings

_TIMEOUT_SECONDS = 5.0


class Target:
    """All that was in the input topics at one moment: applied, announced, and nothing of it parked.

    Kafka's committed offset of the group says both, whichever worker did it (DESIGN section 2).

    Args:
        settings: group and topics.
        cluster: asked once, now, for the ends of the topics.
        engine: PostgreSQL, for what is parked.
    """

    def __init__(self, settings: Settings, cluster: Cluster, engine: Engine) -> None:
        self._group_id = settings.group_id
        self._engine = engine
        partitions = list(cluster.partitions(settings.topics.inputs))
        earliest = cluster.earliest(partitions)
        latest = cluster.latest(partitions)
        self._ends: dict[Partition, int] = {p: latest[p] for p in partitions if latest[p] > earliest[p]}

    def is_reached(self, consumer: Consumer) -> bool:
        """Whether the group has come that far.

        Raises:
            KafkaException, psycopg2.Error: a service does not answer now.
        """
        self._ends = {partition: end for partition, end in self._ends.items() if not self._passed(consumer, partition)}
        return not self._ends and not self._parked()

    def _passed(self, consumer: Consumer, partition: Partition) -> bool:
        (committed,) = consumer.committed([TopicPartition(*partition)], timeout=_TIMEOUT_SECONDS)
        return bool(committed.offset >= self._ends[partition])

    def _parked(self) -> bool:
        with transaction(self._engine) as cursor:
            cursor.execute(sql("has_parked"), {"group": self._group_id})
            return bool(fetch_one(cursor)[0])
