"""A speaker: one transactional producer, and the thread that announces with it (DESIGN section 2).

It writes the outbox rows of its lanes in order to Kafka, in a Kafka transaction that also commits the input offset
with the announced number as metadata. Before each commit it checks in PostgreSQL that every lane is still its own:
if another worker took one over before the check, this transaction aborts; if after it, the other finds the
committed offset undecided until this transaction is settled.

A call of librdkafka may hang in spite of its time-out. So no connection to PostgreSQL is held during one, and
``present_call`` tells how long one lasts: the announcer replaces a speaker that hangs.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import KafkaError, KafkaException, TopicPartition
from sqlalchemy.exc import SQLAlchemyError

from consumer import failpoints
from consumer.announce.lane import Replaced
from consumer.announce.progress import format_progress, parse_progress
from consumer.announce.transactions import Transactions
from consumer.errors import first_line
from consumer.store import outbox, streams
from consumer.store.activities import CONTENT_TYPE
from consumer.store.database import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from confluent_kafka import Producer
    from sqlalchemy import Engine

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.announce.lane import Lane, Lanes
    from consumer.settings import Settings
    from consumer.store.database import Cursor
    from consumer.store.outbox import Announcement

log = logging.getLogger(__name__)

_HEADERS: list[tuple[str, str | bytes | None]] = [("content-type", CONTENT_TYPE.encode())]
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_PAUSE_FOR_OTHERS_SECONDS = 0.1

# What Kafka says to a member that has not heard yet that the group has changed. It is ordinary, unless it goes on.
_REBALANCES = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)


@dataclass(frozen=True, slots=True)
class Means:
    """What a speaker announces with.

    Args:
        group: tells how far each partition is announced.
        membership: the worker's present membership of the group, which Kafka checks offsets against.
        make_producer: makes a transactional producer that is not initialized yet.
        engine: PostgreSQL; one connection is used at a time, and none while Kafka is waited for.
        settings: topics, batch size, time-outs.
    """

    group: GroupOffsets
    membership: Callable[[], object]
    make_producer: Callable[[], Producer]
    engine: Engine
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Portion:
    """What one transaction says of a lane, and the offset and number that are true then."""

    lane: Lane
    announcements: list[Announcement]
    offset: int
    seq: int

    @property
    def committed(self) -> TopicPartition:
        """What the transaction commits for the group."""
        progress = format_progress(self.lane.stream.name, self.seq)
        return TopicPartition(self.lane.topic, self.lane.partition, self.offset, metadata=progress)


class Speaker:
    """Announces the lanes given to it, until they are stopped or given to another.

    Args:
        lanes: where they are.
        means: what to announce with.
    """

    def __init__(self, lanes: Lanes, means: Means) -> None:
        self._lanes = lanes
        self._means = means
        self._transactions = Transactions(means.make_producer, means.settings.transaction_timeout_seconds)
        self._waiting_for_others: set[str] = set()
        self._pause = 0.0
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout_seconds: float) -> None:
        """Wait for its end."""
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    @property
    def is_alive(self) -> bool:
        """Whether the thread has not ended."""
        return self._thread.is_alive()

    @property
    def present_call(self) -> tuple[str, float] | None:
        """The call of Kafka's client that the thread is in, and for how many seconds; ``None`` outside of one."""
        return self._transactions.present_call

    # --- the thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while lanes := self._lanes.next(self):
                self._lanes.end(self, self._announce_once(lanes))
        except Replaced:
            log.warning("a call of Kafka's client that hung has returned; another producer has taken its place")
        except BaseException as error:  # noqa: BLE001  # the main thread must hear of everything
            self.failure = error
        finally:
            # Here, and not in whichever thread drops the last reference: closing it may take its time.
            self._transactions.discard()

    def _announce_once(self, lanes: list[Lane]) -> float:
        """One Kafka transaction with what is to be announced; returns how many seconds to pause then."""
        try:
            # First of all: it ends a transaction that this worker or a predecessor of its name left open, which
            # would leave the committed offset undecided.
            self._transactions.initialize()
            # A speaker that was replaced must not fence its successor time and again.
            self._lanes.require(self)
            self._find_progress([lane for lane in lanes if lane.announced_seq is None])
            known = [lane for lane in lanes if lane.announced_seq is not None]
            if not known:
                return _PAUSE_FOR_OTHERS_SECONDS
            portions = self._read_portions([lane for lane in known if not lane.is_settled])
            if portions:
                self._announce(portions)
        except KafkaException as error:
            self._recover(lanes, error)
            return self._longer_pause()
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("announcing waits for PostgreSQL: %s", first_line(error))
            self._abort(lanes)
            return self._longer_pause()
        self._pause = 0.0
        return 0.0 if portions or len(known) == len(lanes) else _PAUSE_FOR_OTHERS_SECONDS

    def _longer_pause(self) -> float:
        self._pause = min(2 * self._pause or _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)
        return self._pause

    def _announce(self, portions: list[_Portion]) -> None:
        lanes = [portion.lane for portion in portions]
        self._transactions.begin()
        with self._transactions.calling("producing announcements"):
            for portion in portions:
                self._produce(portion.announcements)
        failpoints.reach("inside-announcement")
        self._transactions.send_offsets([portion.committed for portion in portions], self._means.membership())
        lost = self._find_lost(lanes)
        if lost:
            self._abort(lanes)
            self._leave(lost)
            return
        failpoints.reach("before-announcement-commit")
        self._transactions.commit()
        failpoints.reach("after-announcement")
        self._lanes.committed(self, {portion.lane: (portion.offset, portion.seq) for portion in portions})

    def _read_portions(self, lanes: Sequence[Lane]) -> list[_Portion]:
        """What lanes have to say, until one transaction is full."""
        portions: list[_Portion] = []
        room = self._means.settings.announce_batch_size
        if not lanes:
            return portions
        with transaction(self._means.engine) as cursor:
            for lane, now in zip(lanes, self._lanes.look_at(self, lanes), strict=True):
                portion = _read_portion(cursor, lane, now, room)
                portions.append(portion)
                room -= len(portion.announcements)
                if room <= 0:
                    break
        return portions

    def _produce(self, announcements: Sequence[Announcement]) -> None:
        topics = self._means.settings.topics
        for announcement in announcements:
            topic = topics.dead_letters if announcement.dead_letter else topics.activity
            self._transactions.produce(topic, announcement.key, announcement.cloudevent, _HEADERS)

    def _find_lost(self, lanes: Sequence[Lane]) -> list[Lane]:
        """The check that keeps a zombie from announcing what its successor announces (DESIGN section 2)."""
        # A transaction of its own: it must see now, and none may stay open while Kafka commits.
        with transaction(self._means.engine) as cursor:
            lost = streams.find_lost(cursor, [lane.stream for lane in lanes])
        # A speaker that was replaced has the same epochs as its successor. It could not commit: it is fenced.
        self._lanes.require(self)
        return [lane for lane in lanes if lane.stream.id in lost]

    def _leave(self, lost: list[Lane]) -> None:
        log.warning("announcing is left to another worker: %s", ", ".join(map(str, lost)))
        self._lanes.drop(self, lost)

    # --- how far a lane is announced ----------------------------------------------------------------------------

    def _find_progress(self, lanes: Sequence[Lane]) -> None:
        """Read back from Kafka how far lanes are announced.

        One that a predecessor's transaction leaves undecided stays unknown, and the others go on without it. One that
        is lost is left at once: a worker that the group has expelled, but that does not know it yet, would fail for as
        long as it is not told.
        """
        lost = self._find_lost(lanes) if lanes else []
        if lost:
            self._leave(lost)
        lanes = [lane for lane in lanes if lane not in lost]
        if not lanes:
            return
        with self._transactions.calling("reading the committed offsets of the group"):
            found = self._means.group.stable([(lane.topic, lane.partition) for lane in lanes])
        waiting = set()
        with transaction(self._means.engine) as cursor:
            for lane in lanes:
                committed = found.get((lane.topic, lane.partition))
                if committed is None:
                    waiting.add(str(lane))
                else:
                    self._note_progress(cursor, lane, committed)
        if waiting - self._waiting_for_others:
            log.info("announcing waits for the open transaction of another worker: %s", ", ".join(sorted(waiting)))
        self._waiting_for_others = waiting

    def _note_progress(self, cursor: Cursor, lane: Lane, committed: TopicPartition) -> None:
        offset: int | None = committed.offset if committed.offset >= 0 else None
        (now,) = self._lanes.look_at(self, [lane])
        seq = parse_progress(committed.metadata, lane.stream.name)
        # More than was ever applied: the database was restored from a backup. Nothing of that number is announced.
        if seq is None or seq > now.applied_seq:
            lowest = outbox.lowest_seq(cursor, lane.stream.id)
            seq = now.applied_seq if lowest is None else lowest - 1
            # Nothing committed and nothing pruned yet: a first announcement, that a crash may have prevented.
            if lowest is not None and (offset is not None or lowest > 1):
                log.warning(
                    "%s: Kafka's committed offset does not tell what was announced (were the offsets of the group"
                    " reset?); announcing again from number %d on, with the same ids",
                    lane,
                    lowest,
                )
            # Not settled before Kafka knows again.
            offset = None
        self._lanes.found(self, lane, offset, seq)

    # --- failures ----------------------------------------------------------------------------------------------

    def _recover(self, lanes: list[Lane], failure: KafkaException) -> None:
        """After a failed transaction its outcome is read back from Kafka, not guessed."""
        error = failure.args[0]
        is_ordinary = hasattr(error, "code") and error.code() in _REBALANCES and self._pause < _LONGEST_PAUSE_SECONDS
        level = logging.INFO if is_ordinary else logging.WARNING
        log.log(level, "announcing is tried again: %s", error.str() if hasattr(error, "str") else error)
        # One that has bootstrapped anew may have lost the coordinator of its transactions for good (librdkafka 2.16).
        is_lost = hasattr(error, "code") and error.code() == KafkaError._TIMED_OUT  # noqa: SLF001  # its public name
        if is_lost or (hasattr(error, "fatal") and error.fatal()):
            self._transactions.discard()
        self._abort(lanes)

    def _abort(self, lanes: list[Lane]) -> None:
        self._transactions.abort()
        self._lanes.forget(self, lanes)


def _read_portion(cursor: Cursor, lane: Lane, now: Lane, room: int) -> _Portion:
    after, to_seq, offset = now.announced_seq or 0, now.applied_seq, now.applied_offset
    announcements = outbox.read_outbox(cursor, lane.stream.id, after, to_seq, room) if to_seq > after else []
    seq = announcements[-1].seq if announcements else to_seq
    if seq < to_seq:
        # Not all of it fits: the offset may only move when everything before it is announced.
        offset = now.committed_offset or 0
    return _Portion(lane, announcements, offset, seq)
