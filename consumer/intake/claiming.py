"""Claiming partitions: taking them over in PostgreSQL, where their positions are (DESIGN section 1)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import KafkaException
from psycopg2.errors import LockNotAvailable, QueryCanceled
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import Fenced, UsageError, first_line
from consumer.store import streams
from consumer.store.database import transaction
from consumer.store.migrating import blaming_schema
from consumer.store.stuck import end_stuck_copies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from consumer.intake.assignment import Partition
    from consumer.intake.kafka import Cluster
    from consumer.settings import Settings
    from consumer.store.database import Cursor
    from consumer.store.streams import PartitionId, Stream

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

        A predecessor that was stopped in the middle of a batch holds the rows. PostgreSQL ends its transaction where
        it idles; one that is stuck in a COPY is ended here, a little after ``statement_timeout_seconds``.

        Returns:
            their streams; nothing while Kafka or PostgreSQL is away, or a predecessor still holds a row.

        Raises:
            UsageError: Kafka no longer has what comes next, and ``missing_offsets`` is not ``skip``.
            WrongSchema: the database was migrated to another schema.
        """
        try:
            known = self._cluster.partitions(self._settings.topics.inputs)
            earliest = self._cluster.earliest(partitions)
            with blaming_schema(self._engine), transaction(self._engine) as cursor:
                # A predecessor that was stopped in its transaction holds the row; meanwhile this worker must poll.
                streams.limit_lock_wait(cursor, _LOCK_WAIT_SECONDS)
                claimed = {
                    partition: self._claim(cursor, known[partition], earliest[partition])
                    for partition in sorted(partitions)
                }
            # Only now: until its epoch was raised a predecessor may have gone on.
            latest = self._cluster.latest(partitions)
        except (LockNotAvailable, QueryCanceled) as error:
            log.warning("partitions cannot be taken over yet: %s", first_line(error))
            end_stuck_copies(self._engine, self._settings.statement_timeout_seconds)
            return {}
        except (KafkaException, psycopg2.Error, SQLAlchemyError) as error:
            log.warning("partitions cannot be taken over yet: %s", first_line(error))
            return {}
        return {
            partition: stream
            for partition, stream in claimed.items()
            if self._can_read(partition, stream, earliest[partition], latest[partition])
        }

    def _claim(self, cursor: Cursor, partition: PartitionId, earliest: int) -> Stream:
        settings = self._settings
        stream = streams.claim(cursor, settings.group_id, partition, settings.instance_name, earliest)
        if stream.epoch == 1 and (adopted := streams.adopt_outbox(cursor, stream)):
            log.warning(
                "%s-%d was created anew; %d announcements of the former topic go out now, perhaps not for the first"
                " time: their ids are the same",
                partition.topic,
                partition.partition,
                adopted,
            )
        return stream

    def _can_read(self, partition: Partition, stream: Stream, earliest: int, latest: int) -> bool:
        """Whether Kafka still has what comes next; skips what it lost where the settings say so."""
        where = f"{partition[0]}-{partition[1]}: the next offset to apply is {stream.next_offset}"
        if stream.next_offset > latest:
            message = (
                f"{where}, but Kafka's last is {latest}: the topic lost data, and new events would take the offsets of"
                " events applied before; restore it, or delete and create it anew: then it is read from its beginning"
            )
            raise UsageError(message)
        if stream.next_offset >= earliest:
            return True
        lost = earliest - stream.next_offset
        if self._settings.missing_offsets == "stop":
            message = (
                f"{where}, but Kafka's oldest is {earliest}: its retention has removed {lost} offsets; lengthen the"
                " retention of the topic, and set RELEASE_CONSUMER_MISSING_OFFSETS=skip to accept the loss"
            )
            raise UsageError(message)
        try:
            with transaction(self._engine) as cursor:
                streams.skip(cursor, stream, earliest)
        except (Fenced, psycopg2.Error, SQLAlchemyError) as error:
            log.warning("partitions cannot be taken over yet: %s", first_line(error))
            return False
        log.error("%s; Kafka's retention has removed %d offsets: they are skipped, as the settings say", where, lost)
        return True

    def owners(self, asked: Sequence[Stream]) -> dict[int, str]:
        """Owners by stream id; nothing while PostgreSQL is away: then nobody can take over either."""
        try:
            with transaction(self._engine) as cursor:
                return {stream.id: streams.reread(cursor, stream)[0] for stream in asked}
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("PostgreSQL: %s", first_line(error))
            return {}
