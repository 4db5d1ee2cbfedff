"""The worker: one process of the consumer group, from Kafka to PostgreSQL and back to Kafka.

The main thread polls, decodes and plans a batch while the apply thread writes the one before, and hands what is
committed to the announcer (DESIGN section 6).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import Consumer, KafkaException, TopicPartition
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import Halted, WrongSchema, first_line
from consumer.intake.apply_thread import Applied, ApplyThread
from consumer.intake.batch import Batch, retry_batch
from consumer.intake.interpreter import Interpreter
from consumer.intake.kafka import close_consumer
from consumer.intake.reader import Reader
from consumer.store import parking, processed_events, streams
from consumer.store.database import transaction
from consumer.store.migrating import blaming_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future

    from sqlalchemy import Engine

    from consumer.announce.announcer import Announcer
    from consumer.health import Health
    from consumer.intake.assignment import Partition
    from consumer.intake.caught_up import Target
    from consumer.intake.claiming import Claims
    from consumer.intake.topic_watch import TopicWatch
    from consumer.settings import Settings
    from consumer.store.streams import Stream

log = logging.getLogger(__name__)

_WAIT_SECONDS = 0.2
_CHORES_SECONDS = 0.5
_LOOKING_SHARE = 10
_PATIENCE_SECONDS = 2.0
_CLAIM_PAUSE_SECONDS = 1.0


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
        health: is told of progress.
        topic_watch: tells when a topic is another one.
    """

    def __init__(
        self,
        settings: Settings,
        consumer: Consumer,
        claims: Claims,
        engine: Engine,
        apply_thread: ApplyThread,
        announcer: Announcer,
        health: Health,
        topic_watch: TopicWatch,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._reader = Reader(settings, consumer, self._find_known)
        self._assignment = self._reader.assignment
        self._claims = claims
        self._engine = engine
        self._apply_thread = apply_thread
        self._announcer = announcer
        self._health = health
        self._topic_watch = topic_watch
        self._interpreter = Interpreter()
        self._in_flight: InFlight | None = None
        self._ready: Batch | None = None
        self._next_chores = 0.0
        self._did_chore = False
        self._is_database_away = False
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
            Halted: too many events are dead letters; what was applied before is announced.
            UsageError: the topics are not what the database remembers; says what to do.
            WrongSchema: the database was migrated to a schema that this version cannot work with.
            ServiceUnavailable: Kafka refused this worker for good.
        """
        self._consumer.subscribe(
            self._settings.topics.inputs, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        self._announcer.start()
        self._topic_watch.start()
        self._interpreter.tune()
        self._health.ready()
        try:
            while not self._stop:
                self._step()
                if target is not None and self._is_idle() and self._reached(target):
                    break
            return self._drain()
        except Halted as halted:
            self._health.stop(str(halted))
            self._drain()
            raise
        except WrongSchema as mismatch:
            self._health.stop(str(mismatch))
            raise
        finally:
            self._apply_thread.abandon()
            self._topic_watch.stop()
            # Nobody need wait for it any more: it commits under this worker's epoch, or it is fenced.
            self._in_flight = None
            self._announcer.stop()
            close_consumer(self._consumer)

    # --- one turn ----------------------------------------------------------------------------------------------

    def _step(self) -> None:
        self._health.turn()
        self._announcer.raise_failure()
        self._topic_watch.require_same()
        self._tell_membership()
        self._claim()
        self._reader.seek()
        if self._ready is None:
            self._ready = self._reader.read(is_busy=self._in_flight is not None)
        self._finish_in_flight()
        if self._in_flight is None:
            batch = None if self._ready is not None and self._did_chore else self._chore_batch()
            self._did_chore = batch is not None
            if batch is None:
                batch, self._ready = self._ready, None
            if batch is not None:
                self._submit(batch)

    def _find_known(self, digests: set[str]) -> dict[str, str | None]:
        """Event ids seen before, with the fingerprints of their records.

        While PostgreSQL is away none is known, and the batch's transaction finds them.
        """
        try:
            with transaction(self._engine) as cursor:
                return processed_events.find_fingerprints(cursor, digests)
        except (psycopg2.Error, SQLAlchemyError):
            return {}

    def _is_idle(self) -> bool:
        return self._in_flight is None and self._ready is None and self._reader.is_empty

    def _submit(self, batch: Batch) -> None:
        self._health.work("applying", f"a batch of {len(batch.items)} events is not committed")
        self._in_flight = InFlight(batch, self._apply_thread.submit(batch))

    def _finish_in_flight(self) -> None:
        """Wait for the batch in flight if there is another one ready, or nothing else to do."""
        if self._in_flight is None or (self._ready is None and not self._in_flight.future.done()):
            return
        patience = time.monotonic() + _PATIENCE_SECONDS
        while self._in_flight is not None and not _wait(self._in_flight.future, _WAIT_SECONDS):
            if self._stop:
                return
            self._health.turn()
            if time.monotonic() > patience:
                self._reader.poll_paused()
                self._tell_membership()
        self._conclude()

    def _tell_membership(self) -> None:
        """The announcer must not ask itself: its call would wait while this thread polls."""
        self._announcer.speak_for(self._consumer.consumer_group_metadata())

    def _conclude(self) -> None:
        """Take note of how the batch in flight ended."""
        if self._in_flight is None:
            return
        (batch, future), self._in_flight = (self._in_flight.batch, self._in_flight.future), None
        result = future.result()
        self._health.work("applying", None)
        self._interpreter.batch_ended()
        self._reader.resume()
        if result is Applied.COMMITTED:
            self._announcer.applied([advance.stream for advance in batch.advances])
        else:
            # Fenced or given up: what was read behind it must not be applied before it.
            self._look_again([advance.stream for advance in batch.advances])

    # --- chores: what is done between batches, now and then, however much there is to read -------------------------

    def _chore_batch(self) -> Batch | None:
        """Notice a moved offset, try parked events again, pass offsets that hold no record."""
        started = time.monotonic()
        if started < self._next_chores:
            return None
        self._next_chores = started + _CHORES_SECONDS
        claimed = self._assignment.streams()
        if not claimed:
            return None
        try:
            with blaming_schema(self._engine), transaction(self._engine) as cursor:
                lost = streams.find_lost(cursor, claimed)
                due = parking.due_events(
                    cursor,
                    [stream.id for stream in claimed],
                    datetime.now(UTC),
                    self._settings.batch_size,
                    self._settings.batch_bytes,
                )
        except (psycopg2.Error, SQLAlchemyError) as error:
            self._note_database_away(first_line(error))
            return None
        self._note_database_away(None)
        if lost:
            self._look_again([stream for stream in claimed if stream.id in lost])
            return None
        if due:
            # A full batch: more of them are due. What is read meanwhile has its turn before.
            self._next_chores = 0.0 if len(due) == self._settings.batch_size else self._next_chores
            return retry_batch(due, {stream.id: stream for stream in claimed}, self._settings)
        # Looking takes long where very many wait for one event: do other things most of the time.
        self._next_chores = max(self._next_chores, time.monotonic() + _LOOKING_SHARE * (time.monotonic() - started))
        return self._reader.pass_empty_offsets()

    def _note_database_away(self, why: str | None) -> None:
        """Say once that PostgreSQL fails, and once that it does no longer (``None``): chores look twice a second."""
        self._health.work("chores", why and f"PostgreSQL: {why}")
        if why is not None and not self._is_database_away:
            log.warning("PostgreSQL fails, it is asked until it answers: %s", why)
        elif why is None and self._is_database_away:
            log.info("PostgreSQL answers again")
        self._is_database_away = why is not None

    # --- partitions come and go ----------------------------------------------------------------------------------

    def _on_assign(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        if partitions:
            log.info("assigned: %s", _names(partitions))
        self._reader.assign((p.topic, p.partition) for p in partitions)

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
        """Drop what was read of these partitions and not applied; others of the same batch are read again."""
        self._reader.drop(partitions)
        if self._ready is not None:
            self._reader.read_again(self._ready, but=partitions)
            self._ready = None

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
            if stream.is_replay(stream.next_offset):
                until = f"{stream.frontier}{', forced' if stream.forced else ''}"
                log.info("%s is replayed from offset %d to %s", assigned, stream.next_offset, until)
            self._announcer.take_over(*assigned.partition, stream)
        unclaimed = len(self._assignment.assigned) - len(self._assignment.claimed())
        self._health.work("claiming", f"{unclaimed} partitions are not taken over yet" if unclaimed else None)

    def _look_again(self, fenced: Sequence[Stream]) -> None:
        """The database may not agree with what this worker believes: take over again, or let go.

        An operator who moves an offset leaves the owner as it is: then it is ours to take over again. Another owner
        means that the group has given the partition away; it will tell us, and until then nothing is touched.
        """
        ids = {stream.id for stream in fenced}
        touched = [a for a in self._assignment.claimed() if a.stream is not None and a.stream.id in ids]
        self._announcer.let_go(ids, self._settings.transaction_timeout_seconds)
        self._drop_unapplied({a.partition for a in touched})
        self._reader.pause(a.partition for a in touched)
        me = self._settings.instance_name
        owners = self._claims.owners([a.stream for a in touched if a.stream is not None])
        for assigned in touched:
            owner = owners.get(assigned.stream.id, me) if assigned.stream is not None else me
            if owner != me:
                log.warning("%s belongs to worker %s now", assigned, owner)
                assigned.claim_after = time.monotonic() + 2 * self._settings.session_timeout_seconds
            assigned.stream = None

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
        while not self._announcer.drain(_WAIT_SECONDS):
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


def _names(partitions: Iterable[TopicPartition]) -> str:
    """Partitions in few words, such as ``release-events 0-5, catalog-events 3``."""
    by_topic = groupby(sorted((p.topic, p.partition) for p in partitions), key=lambda place: place[0])
    return ", ".join(f"{topic} {_ranges([number for _, number in places])}" for topic, places in by_topic)


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, runs of them as ``first-last``."""
    runs = [list(run) for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return " ".join(f"{run[0][1]}-{run[-1][1]}" if len(run) > 1 else str(run[0][1]) for run in runs)
