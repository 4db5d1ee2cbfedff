"""The worker: one process of the consumer group, from Kafka to PostgreSQL and back to Kafka.

The main thread owns the Kafka consumer: it polls, decodes and plans a batch while the apply thread writes the one
before, and hands what is committed to the announcer (DESIGN section 6).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition
from sqlalchemy.exc import SQLAlchemyError

from consumer import failpoints
from consumer.errors import ServiceUnavailable, first_line
from consumer.intake.apply_thread import Applied, ApplyThread
from consumer.intake.assignment import Assignment, Partition
from consumer.intake.batch import Batch, make_batch, retry_batch
from consumer.intake.kafka import end_of_partition, to_record
from consumer.store import parking, streams
from consumer.store.database import transaction
from consumer.store.streams import Advance, Stream

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    from sqlalchemy import Engine

    from consumer.announce.announcer import Announcer
    from consumer.contracts.records import Record
    from consumer.intake.caught_up import Target
    from consumer.intake.claiming import Claims
    from consumer.settings import Settings

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_POLL_WHILE_BUSY_SECONDS = 0.02
_CHORES_SECONDS = 0.5
_PATIENCE_SECONDS = 2.0
_CLAIM_PAUSE_SECONDS = 1.0

# A fatal error does not always say that it is one.
_REFUSALS = frozenset({KafkaError._FATAL, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001  # their public names


@dataclass(slots=True)
class InFlight:
    """The batch that the apply thread works on."""

    batch: Batch
    future: Future[Applied]


class Worker:
    """Reads its share of the topics until it is told to stop.

    Args:
        settings: everything that can be set.
        consumer: Kafka consumer, not subscribed yet.
        claims: takes partitions over.
        engine: PostgreSQL.
        apply_thread: applies batches.
        announcer: announces what is applied.
    """

    def __init__(
        self,
        settings: Settings,
        consumer: Consumer,
        claims: Claims,
        engine: Engine,
        apply_thread: ApplyThread,
        announcer: Announcer,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._claims = claims
        self._engine = engine
        self._apply_thread = apply_thread
        self._announcer = announcer
        self._assignment = Assignment()
        self._records: deque[Record] = deque()
        self._in_flight: InFlight | None = None
        self._ready: Batch | None = None
        self._paused = False
        self._next_chores = 0.0
        self._stop = False

    def stop(self) -> None:
        """Ask to stop: what is in flight is finished, nothing new is read. Safe in a signal handler."""
        self._stop = True

    def run(self, target: Target | None = None) -> bool:
        """Consume until ``stop`` is called, or until the target is reached.

        Args:
            target: where to end; ``None`` means never.

        Returns:
            whether everything read was applied and announced in time.

        Raises:
            UsageError: the topics are not what the database remembers; says what to do.
            ServiceUnavailable: Kafka refused this worker for good.
        """
        self._consumer.subscribe(
            self._settings.topics.inputs, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        self._announcer.start()
        try:
            while not self._stop:
                self._step()
                if target is not None and self._is_idle() and self._reached(target):
                    break
            return self._drain()
        finally:
            self._apply_thread.abandon()
            # Nobody need wait for it any more: it commits under this worker's epoch, or it is fenced.
            self._in_flight = None
            self._announcer.stop(self._settings.transaction_timeout_seconds)
            self._consumer.close()

    # --- one turn ----------------------------------------------------------------------------------------------

    def _step(self) -> None:
        self._announcer.raise_failure()
        self._tell_membership()
        self._claim()
        self._seek()
        if self._ready is None:
            self._ready = self._read_batch()
        self._finish_in_flight()
        if self._in_flight is None:
            batch = self._chore_batch()
            if batch is None:
                batch, self._ready = self._ready, None
            if batch is not None:
                self._submit(batch)

    def _is_idle(self) -> bool:
        return self._in_flight is None and self._ready is None and not self._records

    def _submit(self, batch: Batch) -> None:
        self._in_flight = InFlight(batch, self._apply_thread.submit(batch))

    def _finish_in_flight(self) -> None:
        """Wait for the batch in flight if there is another one ready, or nothing else to do."""
        if self._in_flight is None or (self._ready is None and not self._in_flight.future.done()):
            return
        patience = time.monotonic() + _PATIENCE_SECONDS
        while self._in_flight is not None and not _wait(self._in_flight.future, _POLL_SECONDS):
            if self._stop:
                return
            if time.monotonic() > patience:
                self._poll_paused()
        self._conclude()

    def _poll_paused(self) -> None:
        """Stay in the group while the batch in flight takes its time: poll, but take nothing more."""
        if not self._paused:
            self._pause([a.partition for a in self._assignment.claimed()])
            self._paused = True
        self._take(self._consumer.poll(0))
        self._tell_membership()

    def _tell_membership(self) -> None:
        """The announcer must not ask itself: its call would wait while this thread polls."""
        self._announcer.speak_for(self._consumer.consumer_group_metadata())

    def _conclude(self) -> None:
        """Take note of how the batch in flight ended."""
        if self._in_flight is None:
            return
        batch, result = self._in_flight.batch, self._in_flight.future.result()
        self._in_flight = None
        if self._paused:
            self._paused = False
            self._consumer.resume([TopicPartition(*a.partition) for a in self._assignment.claimed()])
        if result is Applied.COMMITTED:
            self._announcer.applied([advance.stream for advance in batch.advances])
        else:
            # Fenced or given up: what was read behind it must not be applied before it.
            self._look_again([advance.stream for advance in batch.advances])

    # --- reading -----------------------------------------------------------------------------------------------

    def _read_batch(self) -> Batch | None:
        if not self._records:
            is_busy = self._in_flight is not None or self._assignment.seeking()
            self._take(self._consumer.poll(_POLL_WHILE_BUSY_SECONDS if is_busy else _POLL_SECONDS))
            if self._records:
                # What is there already is there at once; waiting for a full batch would cost time.
                for message in self._consumer.consume(self._settings.batch_size - 1, 0):
                    self._take(message)
        records: list[tuple[Stream, Record]] = []
        starts: dict[int, int] = {}
        size = 0
        while self._records and len(records) < self._settings.batch_size and size < self._settings.batch_bytes:
            record = self._records.popleft()
            assigned = self._assignment.assigned.get((record.topic, record.partition))
            if assigned is None or assigned.stream is None or assigned.must_seek or record.offset < assigned.position:
                continue
            starts.setdefault(assigned.stream.id, assigned.position)
            records.append((assigned.stream, record))
            assigned.position = record.offset + 1
            size += len(record.value or b"")
        if not records:
            return None
        failpoints.reach("after-poll")
        return make_batch(records, starts, self._settings)

    def _take(self, message: Message | None) -> None:
        """Keep a message, or see to what Kafka reports in its place."""
        if message is None:
            return
        error = message.error()
        if error is None:
            self._records.append(to_record(message))
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
            partition, end = end_of_partition(message)
            assigned = self._assignment.assigned.get(partition)
            if assigned is not None and not assigned.must_seek:
                assigned.end_of_partition = end
        elif error.fatal() or error.code() in _REFUSALS:
            text = f"Kafka refuses this worker: {error.str()}; run `release-consumer run` again"
            raise ServiceUnavailable(text)
        else:
            log.warning("Kafka: %s", error.str())

    # --- chores: what is done between batches, now and then, however much there is to read -------------------------

    def _chore_batch(self) -> Batch | None:
        """Notice a moved offset, try parked events again, pass offsets that hold no record."""
        if time.monotonic() < self._next_chores:
            return None
        self._next_chores = time.monotonic() + _CHORES_SECONDS
        claimed = self._assignment.streams()
        if not claimed:
            return None
        try:
            with transaction(self._engine) as cursor:
                lost = streams.find_lost(cursor, claimed)
                due = parking.due_events(
                    cursor, [stream.id for stream in claimed], datetime.now(UTC), self._settings.batch_size
                )
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("PostgreSQL: %s", first_line(error))
            return None
        if lost:
            self._look_again([stream for stream in claimed if stream.id in lost])
            return None
        if due:
            return retry_batch(due, {stream.id: stream for stream in claimed}, self._settings)
        return self._pass_empty_offsets()

    def _pass_empty_offsets(self) -> Batch | None:
        """Offsets at the end of a partition that no record fills: marks of transactions."""
        advances = []
        for assigned in self._assignment.claimed():
            stream = assigned.stream
            if stream is not None and assigned.end_of_partition > assigned.position == stream.next_offset:
                advances.append(Advance(stream, stream.next_offset, assigned.end_of_partition))
                assigned.position = assigned.end_of_partition
        return Batch([], advances) if advances else None

    # --- partitions come and go ----------------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.info("assigned: %s", _names(partitions))
        self._assignment.add((p.topic, p.partition) for p in partitions)
        # Nothing is read before the position in PostgreSQL is known.
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, OFFSET_BEGINNING) for p in partitions])
        self._pause([(p.topic, p.partition) for p in partitions])

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The batch and the announcing transaction in flight are settled before another may take over."""
        log.info("revoked: %s", _names(partitions))
        timeout = self._settings.drain_timeout_seconds
        if self._in_flight is not None and not _wait(self._in_flight.future, timeout):
            self._apply_thread.abandon()
            _wait(self._in_flight.future, timeout)
            self._apply_thread.resume()
        self._forget(partitions, timeout)
        consumer.incremental_unassign(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """The group has given the partitions to others already; their epochs fence this worker."""
        log.warning("lost: %s", _names(partitions))
        self._forget(partitions, self._settings.transaction_timeout_seconds)
        consumer.incremental_unassign(partitions)

    def _forget(self, partitions: list[TopicPartition], timeout_seconds: float) -> None:
        removed = self._assignment.remove((p.topic, p.partition) for p in partitions)
        self._announcer.let_go([a.stream.id for a in removed if a.stream is not None], timeout_seconds)
        self._drop_unapplied({a.partition for a in removed})

    def _drop_unapplied(self, partitions: set[Partition]) -> None:
        """Drop what was read of these partitions and not applied; others of the same batch are read again.

        It does not seek: inside a callback ``consume`` may hold records of the others in its hand. They would come
        after the seek, pass for what follows the new position, and what lies between would be lost.
        """
        self._records = deque(r for r in self._records if (r.topic, r.partition) not in partitions)
        ready, self._ready = self._ready, None
        if ready is None:
            return
        begun = {advance.stream.id: advance.expected for advance in ready.advances}
        for assigned in self._assignment.claimed():
            if assigned.stream is not None and assigned.stream.id in begun and assigned.partition not in partitions:
                assigned.read_from(begun[assigned.stream.id])

    def _claim(self) -> None:
        """Take over in PostgreSQL what the group gave, then read from the stored position."""
        waiting = self._assignment.unclaimed()
        claimed = self._claims.claim([a.partition for a in waiting]) if waiting else {}
        for assigned in waiting:
            stream = claimed.get(assigned.partition)
            if stream is None:
                assigned.claim_after = time.monotonic() + _CLAIM_PAUSE_SECONDS
                continue
            assigned.stream = stream
            assigned.read_from(stream.next_offset)
            self._announcer.take_over(*assigned.partition, stream)

    def _look_again(self, fenced: Sequence[Stream]) -> None:
        """The database may not agree with what this worker believes: take over again, or let go.

        An operator who moves an offset leaves the owner as it is: then it is ours to take over again. Another owner
        means that the group has given the partition away; it will tell us, and until then nothing is touched.
        """
        ids = {stream.id for stream in fenced}
        touched = [a for a in self._assignment.claimed() if a.stream is not None and a.stream.id in ids]
        self._announcer.let_go(ids, self._settings.transaction_timeout_seconds)
        self._drop_unapplied({a.partition for a in touched})
        self._pause([a.partition for a in touched])
        me = self._settings.instance_name
        owners = self._claims.owners([a.stream for a in touched if a.stream is not None])
        for assigned in touched:
            owner = owners.get(assigned.stream.id, me) if assigned.stream is not None else me
            if owner != me:
                log.warning("%s belongs to worker %s now", assigned, owner)
                assigned.claim_after = time.monotonic() + 2 * self._settings.session_timeout_seconds
            assigned.stream = None

    def _pause(self, partitions: Sequence[Partition]) -> None:
        self._consumer.pause([TopicPartition(topic, number) for topic, number in partitions])

    def _seek(self) -> None:
        """Let Kafka's client read from the positions of partitions; what it fetched before is dropped."""
        for assigned in self._assignment.seeking():
            self._records = deque(r for r in self._records if (r.topic, r.partition) != assigned.partition)
            place = TopicPartition(*assigned.partition, assigned.position)
            try:
                self._consumer.seek(place)
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001  # its public name
                    raise
                # Assigned a moment ago and not started yet: the next turn tries again.
                continue
            assigned.must_seek = False
            self._consumer.resume([place])

    # --- the end -----------------------------------------------------------------------------------------------

    def _reached(self, target: Target) -> bool:
        try:
            return target.is_reached(self._consumer)
        except (KafkaException, psycopg2.Error, SQLAlchemyError):
            return False

    def _drain(self) -> bool:
        """Finish what is in flight and announce what is applied, within the bound."""
        deadline = time.monotonic() + self._settings.drain_timeout_seconds
        self._ready = None
        if self._in_flight is not None:
            if not _wait(self._in_flight.future, self._settings.drain_timeout_seconds):
                return False
            self._conclude()
        while not self._announcer.drain(_POLL_SECONDS):
            if time.monotonic() > deadline:
                return False
            self._tell_membership()
        return True


def _wait(future: Future[Applied], seconds: float) -> bool:
    """Wait for a batch; whether it ended. Its result or error is taken later."""
    try:
        future.exception(seconds)
    except TimeoutError:
        return False
    return True


def _names(partitions: Sequence[TopicPartition]) -> str:
    return ", ".join(f"{p.topic}-{p.partition}" for p in partitions)
