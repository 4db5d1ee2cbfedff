"""Claiming partitions: taking them over in PostgreSQL, where their positions are (DESIGN section 1)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import UsageError, first_line
from consumer.store import streams
from consumer.store.database import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from consumer.intake.assignment import Partition
    from consumer.intake.kafka import Cluster
    from consumer.settings import Settings
    from consumer.store.streams import Stream

log = logging.getLogger(__name__)

_LOCK_WAIT_SECONDS = 2.0


class Claims:
    """Takes partitions over for one worker.

    Args:
        settings: group, topics and the name of the worker.
        cluster: says what the topics are, and what they still hold.
        engine: PostgreSQL.
    """

    def __init__(self, settings: Settings, cluster: Cluster, engine: Engine) -> None:
        self._settings = settings
        self._cluster = cluster
        self._engine = engine

    def claim(self, partitions: Sequence[Partition]) -> dict[Partition, Stream]:
        """Take partitions over that the group gave: raises their epochs, so that a predecessor is fenced.

        Returns:
            their streams; nothing while Kafka or PostgreSQL is away, or a predecessor still holds a row.

        Raises:
            UsageError: Kafka no longer has what comes next; going on would skip events silently.
        """
        try:
            known = self._cluster.partitions(self._settings.topics.inputs)
            earliest = self._cluster.earliest(partitions)
            with transaction(self._engine) as cursor:
                # A predecessor that was stopped in its transaction holds the row; meanwhile this worker must poll.
                streams.limit_lock_wait(cursor, _LOCK_WAIT_SECONDS)
                name, group = self._settings.instance_name, self._settings.group_id
                claimed = {
                    partition: streams.claim(cursor, group, known[partition], name, earliest[partition])
                    for partition in sorted(partitions)
                }
            # Only now: until its epoch was raised a predecessor may have gone on.
            latest = self._cluster.latest(partitions)
        except (KafkaException, psycopg2.Error, SQLAlchemyError) as error:
            log.warning("partitions cannot be taken over yet: %s", first_line(error))
            return {}
        for partition, stream in claimed.items():
            _check_position(partition, stream.next_offset, earliest[partition], latest[partition])
        return claimed

    def owners(self, asked: Sequence[Stream]) -> dict[int, str]:
        """Owners by stream id; nothing while PostgreSQL is away: then nobody can take over either."""
        try:
            with transaction(self._engine) as cursor:
                return {stream.id: streams.reread(cursor, stream)[0] for stream in asked}
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("PostgreSQL: %s", first_line(error))
            return {}


def _check_position(partition: Partition, next_offset: int, earliest: int, latest: int) -> None:
    where = f"{partition[0]}-{partition[1]}: the next offset to apply is {next_offset}"
    if next_offset < earliest:
        message = (
            f"{where}, but Kafka's oldest is {earliest}: its retention has removed {earliest - next_offset} offsets"
            " that were never applied; lengthen the retention of the topic, and move the offset in consumer_offset"
            " to accept the loss"
        )
        raise UsageError(message)
    if next_offset > latest:
        message = (
            f"{where}, but Kafka's last is {latest}: the topic lost data; restore it, or move the offset in"
            " consumer_offset"
        )
        raise UsageError(message)
