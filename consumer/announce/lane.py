"""Lanes: the streams of a worker on their way out, as the announcer sees them.

One partition has three faces, each with its own life:

* ``intake.assignment.Assigned``: a partition that the *group* gave this worker, from assignment to revocation. It
  has a stream only once it is claimed.
* ``store.streams.Stream``: that partition *claimed* in PostgreSQL, under one epoch. Every claim makes a new one.
* ``Lane``: a stream that is *announced*, from its claim until the worker lets it go or finds it lost.

So a worker has at most one lane for a partition, a lane has exactly one stream, and what is said about another
``Stream`` of the same id is about another claim and not heeded.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumer import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consumer.store.streams import Stream


@dataclass(slots=True, eq=False)
class Lane:
    """How far a stream is applied (in PostgreSQL) and announced (in Kafka).

    Args:
        topic: input topic.
        partition: input partition.
        stream: the stream as it was taken over; its epoch guards every commit.
        applied_offset: ``next_offset`` that is committed in PostgreSQL.
        applied_seq: number of its last announcement there.
        announced_seq: number of the last announcement that Kafka has committed; ``None`` until that is known.
        committed_offset: offset that Kafka has committed for the group.
    """

    topic: str
    partition: int
    stream: Stream
    applied_offset: int
    applied_seq: int
    announced_seq: int | None = None
    committed_offset: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether Kafka knows all that PostgreSQL knows."""
        return self.announced_seq == self.applied_seq and self.committed_offset == self.applied_offset

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


class Replaced(Exception):
    """Another speaker has the lanes now: whoever gets this must not touch them, and ends."""


class Lanes:
    """The lanes of a worker, shared by its main thread and by the one speaker that announces them.

    A speaker that was replaced because it hung may wake at any time: everything it asks for raises ``Replaced``.

    Args:
        on_announced: told stream id and number of what Kafka has committed.
    """

    def __init__(self, on_announced: Callable[[int, int], None]) -> None:
        self._on_announced = on_announced
        self._lanes: dict[int, Lane] = {}
        self._under_way: set[int] = set()
        self._speaker: object = None
        self._is_stopped = False
        self._changed = threading.Condition()

    # --- for the main thread -----------------------------------------------------------------------------------

    def add(self, lane: Lane) -> None:
        """A stream was claimed."""
        with self._changed:
            self._lanes[lane.stream.id] = lane
            self._changed.notify_all()

    def applied(self, batch_streams: Iterable[Stream]) -> None:
        """A batch moved these streams in PostgreSQL."""
        with self._changed:
            for stream in batch_streams:
                lane = self._lanes.get(stream.id)
                # A late answer about a batch of an earlier claim says nothing of this one.
                if lane is not None and lane.stream is stream:
                    lane.applied_offset, lane.applied_seq = stream.next_offset, stream.next_seq - 1
            self._changed.notify_all()

    def remove(self, stream_ids: Iterable[int], timeout_seconds: float) -> None:
        """Forget streams; waits until no transaction with them is under way, at most so long."""
        gone = set(stream_ids)
        with self._changed:
            for stream_id in gone:
                self._lanes.pop(stream_id, None)
            self._changed.wait_for(lambda: self._is_stopped or not gone & self._under_way, timeout_seconds)

    def wait_until_settled(self, timeout_seconds: float) -> bool:
        """Wait until Kafka knows of all lanes what PostgreSQL knows; says whether it does.

        What is under way counts: it may commit another offset than the one that a lane has, and has by now again.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way and self._is_settled(), timeout_seconds)

    def give_to(self, speaker: object) -> None:
        """Let this speaker announce, and no other: what the one before had under way is read back from Kafka."""
        with self._changed:
            self._speaker = speaker
            self._under_way = set()
            for lane in self._lanes.values():
                lane.announced_seq = None
            self._changed.notify_all()

    def stop(self) -> None:
        """Nothing more is announced."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    # --- for the speaker, which says who it is -------------------------------------------------------------------

    def next(self, speaker: object) -> list[Lane]:
        """Wait for lanes with something to announce, and take them under way; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped or self._speaker is not speaker or not self._is_settled())
            self._require(speaker)
            lanes = [] if self._is_stopped else [lane for lane in self._lanes.values() if not lane.is_settled]
            self._under_way = {lane.stream.id for lane in lanes}
            return lanes

    def end(self, speaker: object, pause_seconds: float) -> None:
        """Nothing is under way any more; returns after a pause, or at once when all ends."""
        with self._changed:
            self._require(speaker)
            self._under_way = set()
            self._changed.notify_all()
            if pause_seconds > 0:
                self._changed.wait_for(lambda: self._is_stopped or self._speaker is not speaker, pause_seconds)

    def look_at(self, speaker: object, lanes: Sequence[Lane]) -> list[Lane]:
        """Copies of lanes as they are at one moment."""
        with self._changed:
            self._require(speaker)
            return [replace(lane) for lane in lanes]

    def found(self, speaker: object, lane: Lane, offset: int | None, seq: int) -> None:
        """Kafka told how far a lane was committed and announced when it was taken over."""
        with self._changed:
            self._require(speaker)
            lane.committed_offset, lane.announced_seq = offset, seq
            self._on_announced(lane.stream.id, seq)

    def committed(self, speaker: object, moves: dict[Lane, tuple[int, int]]) -> None:
        """Kafka committed a transaction that moved lanes to these offsets and numbers."""
        with self._changed:
            self._require(speaker)
            for lane, (offset, seq) in moves.items():
                metrics.ANNOUNCEMENTS.inc(seq - (lane.announced_seq or 0))
                lane.committed_offset, lane.announced_seq = offset, seq
                self._on_announced(lane.stream.id, seq)
                if self._lanes.get(lane.stream.id) is lane:
                    # To the end of the line: a lane that has always more to say must not silence the others.
                    self._lanes[lane.stream.id] = self._lanes.pop(lane.stream.id)

    def forget(self, speaker: object, lanes: Iterable[Lane]) -> None:
        """What became of a transaction with these lanes is unknown: Kafka is asked again."""
        with self._changed:
            self._require(speaker)
            for lane in lanes:
                lane.announced_seq = None

    def drop(self, speaker: object, lost: Iterable[Lane]) -> None:
        """Lanes that are another's: the worker finds the same, and takes over again what the group still gives it."""
        with self._changed:
            self._require(speaker)
            for lane in lost:
                if self._lanes.get(lane.stream.id) is lane:
                    del self._lanes[lane.stream.id]

    def require(self, speaker: object) -> None:
        """Go on only if this speaker still has the lanes.

        Raises:
            Replaced: it has not.
        """
        with self._changed:
            self._require(speaker)

    def _require(self, speaker: object) -> None:
        if self._speaker is not speaker:
            raise Replaced

    def _is_settled(self) -> bool:
        return all(lane.is_settled for lane in self._lanes.values())
