"""The announcer: exactly-once out (DESIGN section 2).

It writes the outbox rows of its lanes in order to Kafka, in a Kafka transaction that also commits the input offset
with the announced number as metadata. Before each commit it checks in PostgreSQL that every lane is still its own:
if another worker took one over before the check, this transaction aborts; if after it, the other's fetch of the
committed offset waits for this transaction.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from sqlalchemy.exc import SQLAlchemyError

from consumer import failpoints, metrics
from consumer.announce.lane import Lane
from consumer.announce.progress import format_progress, parse_progress
from consumer.errors import first_line
from consumer.store import outbox, streams
from consumer.store.activities import CONTENT_TYPE
from consumer.store.database import Cursor, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Engine

    from consumer.settings import Settings
    from consumer.store.streams import Stream

log = logging.getLogger(__name__)

_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", CONTENT_TYPE.encode())]
_PAUSE_AFTER_FAILURE_SECONDS = 0.5
_COMMITTED_TIMEOUT_SECONDS = 2.0


class Announcer:
    """Announces what the worker applied, from a thread of its own.

    Args:
        group: tells committed offsets of the group. It is not the worker's consumer: a call on that one waits for
            as long as the main thread polls it, without any turn, which under load has no end.
        make_producer: makes a transactional producer that is not initialized yet.
        engine: PostgreSQL; one connection is used at a time.
        settings: topics, batch size, time-outs.
        on_announced: told stream id and number after each commit.
    """

    def __init__(
        self,
        group: Consumer,
        make_producer: Callable[[], Producer],
        engine: Engine,
        settings: Settings,
        on_announced: Callable[[int, int], None],
    ) -> None:
        self._group = group
        self._membership: object = None
        self._make_producer = make_producer
        self._engine = engine
        self._settings = settings
        self._on_announced = on_announced
        self._producer: Producer | None = None
        self._in_transaction = False
        self._lanes: dict[int, Lane] = {}
        self._under_way: set[int] = set()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    # --- called by the worker ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def speak_for(self, membership: object) -> None:
        """Take note of the worker's present membership of the group (``consumer_group_metadata``).

        Kafka refuses offsets of a member that has rejoined since; the worker must tell before and while it announces.
        """
        self._membership = membership

    def take_over(self, topic: str, partition: int, stream: Stream) -> None:
        """A stream was claimed: its epoch is raised, only now may its committed offset be fetched."""
        with self._changed:
            self._lanes[stream.id] = Lane(topic, partition, stream, stream.next_offset, stream.next_seq - 1)
            self._changed.notify()

    def applied(self, batch_streams: Iterable[Stream]) -> None:
        """A batch committed in PostgreSQL: there may be something to announce."""
        with self._changed:
            for stream in batch_streams:
                lane = self._lanes.get(stream.id)
                # A late answer about a batch of an earlier claim says nothing of this one.
                if lane is not None and lane.stream is stream:
                    lane.applied_offset, lane.applied_seq = stream.next_offset, stream.next_seq - 1
            self._changed.notify()

    def let_go(self, stream_ids: Iterable[int], timeout_seconds: float) -> None:
        """Forget streams, after the transaction under way is settled: before a revoke callback returns."""
        gone = set(stream_ids)
        with self._changed:
            for stream_id in gone:
                self._lanes.pop(stream_id, None)
            self._changed.wait_for(lambda: self._stopping.is_set() or not gone & self._under_way, timeout_seconds)

    def raise_failure(self) -> None:
        """Raise what ended the thread, if anything did: without it nothing would be announced any more."""
        if self._failure is not None:
            raise self._failure

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until all lanes are settled; says whether they are."""
        with self._changed:
            return self._changed.wait_for(self._is_settled, timeout_seconds)

    def stop(self, timeout_seconds: float) -> None:
        """Stop the thread after the transaction under way."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout_seconds)

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._announce_until_stopped()
        except BaseException as error:  # noqa: BLE001  # the main thread must hear of everything
            self._failure = error

    def _announce_until_stopped(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._stopping.is_set() or not self._is_settled())
            if not self._stopping.is_set() and not self._announce_once():
                self._stopping.wait(_PAUSE_AFTER_FAILURE_SECONDS)

    def _is_settled(self) -> bool:
        return all(lane.is_settled for lane in self._lanes.values())

    def _announce_once(self) -> bool:
        """One Kafka transaction with what is to be announced; says whether it went well."""
        with self._changed:
            lanes = [lane for lane in self._lanes.values() if not lane.is_settled]
            self._under_way = {lane.stream.id for lane in lanes}
        try:
            with transaction(self._engine) as cursor:
                self._announce(cursor, lanes)
        except KafkaException as error:
            self._recover(lanes, error)
            return False
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("announcing waits for PostgreSQL: %s", first_line(error))
            self._abort(lanes)
            return False
        finally:
            with self._changed:
                self._under_way = set()
                self._changed.notify_all()
        return True

    def _announce(self, cursor: Cursor, lanes: list[Lane]) -> None:
        # First of all: it ends a transaction that this worker or a predecessor of its name left open, for which the
        # fetch of the committed offset would wait.
        producer = self._initialized_producer()
        for lane in lanes:
            if lane.announced_seq is None:
                self._find_progress(cursor, lane)
        lanes = [lane for lane in lanes if not lane.is_settled]
        if not lanes:
            return
        self._in_transaction = True
        producer.begin_transaction()
        moves: dict[Lane, tuple[int, int]] = {}
        room = self._settings.announce_batch_size
        for lane in lanes:
            offset, seq, count = self._produce(cursor, producer, lane, room)
            moves[lane] = (offset, seq)
            room -= count
            if room <= 0:
                break
        failpoints.reach("inside-announcement")
        producer.send_offsets_to_transaction(
            [
                TopicPartition(lane.topic, lane.partition, offset, metadata=format_progress(lane.stream.name, seq))
                for lane, (offset, seq) in moves.items()
            ],
            self._membership,
            self._settings.transaction_timeout_seconds,
        )
        lost = self._find_lost(cursor, moves)
        if lost:
            log.warning("announcing is left to another worker: %s", ", ".join(map(str, lost)))
            self._abort(lanes)
            self._drop(lost)
            return
        failpoints.reach("before-announcement-commit")
        producer.commit_transaction(self._settings.transaction_timeout_seconds)
        self._in_transaction = False
        failpoints.reach("after-announcement")
        with self._changed:
            for lane, (offset, seq) in moves.items():
                metrics.ANNOUNCEMENTS.inc(seq - (lane.announced_seq or 0))
                lane.committed_offset, lane.announced_seq = offset, seq
                self._on_announced(lane.stream.id, seq)

    def _produce(self, cursor: Cursor, producer: Producer, lane: Lane, room: int) -> tuple[int, int, int]:
        """Produce what a lane has to say; returns the offset and number that are true then, and how many it was."""
        with self._changed:
            offset, to_seq = lane.applied_offset, lane.applied_seq
        after = lane.announced_seq or 0
        announcements = outbox.read_outbox(cursor, lane.stream.id, after, to_seq, room) if to_seq > after else []
        topics = self._settings.topics
        for announcement in announcements:
            topic = topics.dead_letters if announcement.dead_letter else topics.activity
            value = announcement.cloudevent
            while True:
                try:
                    producer.produce(topic, key=announcement.key, value=value, headers=_HEADERS)
                    break
                except BufferError:
                    producer.poll(0.1)
        seq = announcements[-1].seq if announcements else to_seq
        if seq < to_seq:
            # Not all of it fits: the offset may only move when everything before it is announced.
            offset = lane.committed_offset or 0
        return offset, seq, len(announcements)

    def _find_lost(self, cursor: Cursor, lanes: Iterable[Lane]) -> list[Lane]:
        """The check that keeps a zombie from announcing what its successor announces (DESIGN section 2)."""
        # A transaction of its own: it must see now, and none may stay open while Kafka commits.
        cursor.connection.rollback()
        lost = streams.find_lost(cursor, [lane.stream for lane in lanes])
        cursor.connection.rollback()
        return [lane for lane in lanes if lane.stream.id in lost]

    def _find_progress(self, cursor: Cursor, lane: Lane) -> None:
        """Read back from Kafka how far a lane is announced; waits there for a predecessor's open transaction."""
        (committed,) = self._group.committed(
            [TopicPartition(lane.topic, lane.partition)], timeout=_COMMITTED_TIMEOUT_SECONDS
        )
        if committed.error is not None:
            raise KafkaException(committed.error)
        lane.committed_offset = committed.offset if committed.offset >= 0 else None
        with self._changed:
            applied_seq = lane.applied_seq
        seq = parse_progress(committed.metadata, lane.stream.name)
        # More than was ever applied: the database was restored from a backup. Nothing of that number is announced.
        if seq is None or seq > applied_seq:
            # Not settled before Kafka knows again.
            lane.committed_offset = None
            lowest = outbox.lowest_seq(cursor, lane.stream.id)
            seq = applied_seq if lowest is None else lowest - 1
            # Nothing committed and nothing pruned yet: a first announcement, that a crash may have prevented.
            if lowest is not None and (committed.offset >= 0 or lowest > 1):
                log.warning(
                    "%s: Kafka's committed offset does not tell what was announced (were the offsets of the group"
                    " reset?); announcing again from number %d on, with the same ids",
                    lane,
                    lowest,
                )
        lane.announced_seq = seq
        self._on_announced(lane.stream.id, seq)

    # --- failures ----------------------------------------------------------------------------------------------

    def _initialized_producer(self) -> Producer:
        if self._producer is None:
            producer = self._make_producer()
            producer.init_transactions(self._settings.transaction_timeout_seconds * 2)
            self._producer = producer
        return self._producer

    def _recover(self, lanes: list[Lane], failure: KafkaException) -> None:
        """After a failed transaction its outcome is read back from Kafka, not guessed."""
        error = failure.args[0]
        log.warning("announcing is tried again: %s", error.str() if hasattr(error, "str") else error)
        if hasattr(error, "fatal") and error.fatal():
            self._producer = None
        self._abort(lanes)

    def _abort(self, lanes: list[Lane]) -> None:
        if self._producer is not None and self._in_transaction:
            try:
                self._producer.abort_transaction(self._settings.transaction_timeout_seconds)
            except KafkaException:
                # A new producer with the same transactional id ends what this one left open.
                self._producer = None
        self._in_transaction = False
        with self._changed:
            for lane in lanes:
                lane.announced_seq = None

    def _drop(self, lost: list[Lane]) -> None:
        """Lanes that are another's: the worker finds the same, and takes over again what the group still gives it."""
        with self._changed:
            for lane in lost:
                if self._lanes.get(lane.stream.id) is lane:
                    del self._lanes[lane.stream.id]
