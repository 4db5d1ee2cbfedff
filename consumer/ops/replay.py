"""Replay: the group's position in a topic is moved back while workers run (DESIGN section 1).

A plain replay passes over what had its fate before: it changes nothing and announces nothing. A forced one applies
it again. What is announced again is queued from what the database keeps, with the ids it had.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import orjson
from confluent_kafka import KafkaException

from consumer.announce.progress import parse_progress
from consumer.codes import DeadLetterStatus
from consumer.errors import UsageError
from consumer.ops.waiting import State
from consumer.store.reading.documents import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.intake.kafka import Cluster
    from consumer.store.reading.documents import AnyRow

_OFFSETS = 5_000
"""Offsets of events whose activities one transaction queues."""


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a partition that is replayed: from ``start`` to before ``end``, where the group had come to.

    Args:
        stream_id: its row in ``consumer_offset``.
        stream: name of that row, in the metadata of Kafka's committed offset.
        topic: input topic.
        partition: its number.
        start: the first offset.
        end: the offset after the last.
        position: where the group stands.
        is_forced: a forced replay is under way, up to ``end``.
    """

    stream_id: int
    stream: UUID
    topic: str
    partition: int
    start: int
    end: int
    position: int
    is_forced: bool

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


@dataclass(frozen=True, slots=True)
class Route:
    """What is to be replayed, and what people should know of it."""

    spans: list[Span]
    remarks: list[str]

    @property
    def offsets(self) -> int:
        """How many offsets that is."""
        return sum(span.end - span.start for span in self.spans)


Start = dict[int, int] | datetime | None
"""Where to begin: an offset for each partition, a time, or ``None`` for the oldest that Kafka still has."""


def find_route(connection: Connection, cluster: Cluster, group_id: str, topic: str, start: Start) -> Route:
    """See what a replay goes over; nothing is changed.

    Args:
        connection: any.
        cluster: says what the topic is, and what it still holds.
        group_id: Kafka consumer group.
        topic: an input topic.
        start: where to begin.

    Raises:
        UsageError: an offset lies beyond what was applied (that would skip events) or before Kafka's oldest, or the
            group never read the partition.
        confluent_kafka.KafkaException: the cluster does not answer.
    """
    ids = cluster.partitions([topic])
    known = {
        row.partition: row
        for row in rows(connection, "read_replay_partitions", group=group_id, topic=topic)
        if (found := ids.get((topic, row.partition))) is not None
        and (found.cluster_id, found.topic_id) == (row.cluster_id, row.topic_id)
    }
    asked = sorted(start) if isinstance(start, dict) else sorted(known)
    unread = [number for number in asked if number not in known]
    if unread:
        named = ", ".join(f"{topic}-{number}" for number in unread)
        message = f"the group {group_id} never read {named}; check the partition: the topic has {len(ids)}, from 0 on"
        raise UsageError(message)
    partitions = [(topic, number) for number in asked]
    earliest = cluster.earliest(partitions) if partitions else {}
    since = cluster.since(partitions, start) if isinstance(start, datetime) and partitions else {}
    spans, remarks = [], []
    for number in asked:
        row, oldest = known[number], earliest[topic, number]
        if isinstance(start, dict):
            first = start[number]
            _check_offset(row, first, oldest)
        else:
            # A time after the last record: there is nothing to replay.
            wanted = since.get((topic, number), row.frontier) if isinstance(start, datetime) else row.first_offset
            first = max(wanted, oldest)
            if oldest > row.first_offset and first == oldest:
                gone = oldest - row.first_offset
                remarks.append(f"{topic}-{number}: Kafka's oldest offset is {oldest}; the {gone} before it are gone")
        if first < row.frontier:
            name = UUID(str(row.stream))
            spans.append(Span(row.id, name, topic, number, first, row.frontier, row.next_offset, row.forced))
    return Route(spans, remarks)


def _check_offset(row: AnyRow, offset: int, oldest: int) -> None:
    where = f"{row.topic}-{row.partition}"
    if offset > row.frontier:
        message = (
            f"{where}: offset {offset} lies beyond what was applied, which is all before {row.frontier}: to go there"
            " would skip events; name an offset up to there"
        )
        raise UsageError(message)
    if offset < oldest:
        message = f"{where}: offset {offset} is gone, Kafka's oldest is {oldest}; begin there, or use --all"
        raise UsageError(message)


def move(engine: Engine, spans: Sequence[Span], *, force: bool) -> dict[int, int]:
    """Move the group's position back, in all partitions at once; running workers notice within a second.

    Args:
        engine: PostgreSQL.
        spans: where to go back to.
        force: events are applied again, whatever says that they were.

    Returns:
        stream id -> the position that the group must come to again.

    Raises:
        UsageError: a forced replay is under way that this one would cut short; nothing was moved.
    """
    starts = [{"id": span.stream_id, "start": span.start} for span in spans]
    with engine.begin() as connection:
        rows(connection, "lock_streams", streams=[span.stream_id for span in spans])
        moved = rows(connection, "move_streams", moves=orjson.dumps(starts).decode(), forced=force)
        ends = {row.id: row.frontier for row in moved}
        _refuse([span for span in spans if span.stream_id not in ends])
    return ends


def refuse_cut(spans: Sequence[Span], *, force: bool) -> None:
    """Refuse what ``move`` would refuse, as far as can be told before anything else is done.

    Raises:
        UsageError: a forced replay is under way that this one would cut short.
    """
    _refuse([span for span in spans if span.is_forced and not (force and span.start <= span.position)])


def _refuse(spans: Sequence[Span]) -> None:
    if spans:
        named = ", ".join(map(str, spans))
        message = f"a forced replay of {named} is under way, which this one would cut short; wait for its end"
        raise UsageError(message)


class Again:
    """Announces again what events caused: queued in bounded transactions, announced by the owners of partitions.

    Those look at the queue when the position has been moved.

    Args:
        engine: PostgreSQL.
        spans: the events.
    """

    def __init__(self, engine: Engine, spans: Sequence[Span]) -> None:
        self._engine = engine
        self._spans = spans
        self._last_seqs: dict[Span, int] = {}
        self.announcements = 0

    def queue(self, on_progress: Callable[[int], None]) -> None:
        """Queue all of it. If this fails in the middle, a part is announced again; ids stay the same.

        Args:
            on_progress: told how many offsets were gone through.
        """
        done = 0
        for span in self._spans:
            for start in range(span.start, span.end, _OFFSETS):
                end = min(start + _OFFSETS, span.end)
                with self._engine.begin() as connection:
                    rows(connection, "lock_streams", streams=[span.stream_id])
                    for count, last_seq in rows(connection, "reannounce", stream=span.stream_id, start=start, end=end):
                        self.announcements += count
                        self._last_seqs[span] = last_seq
                done += end - start
                on_progress(done)

    def is_announced(self, group: GroupOffsets) -> bool:
        """Whether Kafka has committed all that was queued; ``False`` also while Kafka is away.

        Args:
            group: tells committed offsets of the group.
        """
        spans = {(span.topic, span.partition): span for span in self._last_seqs}
        try:
            committed = group.stable(list(spans)) if spans else {}
        except KafkaException:
            return False
        for partition, found in committed.items():
            span = spans[partition]
            if (parse_progress(found.metadata, span.stream) or 0) >= self._last_seqs[span]:
                del self._last_seqs[span]
        return not self._last_seqs


def look(engine: Engine, spans: Sequence[Span], ends: Mapping[int, int]) -> State:
    """How far the group has come since it was moved.

    Args:
        engine: PostgreSQL.
        spans: what is replayed.
        ends: what ``move`` returned.

    Returns:
        offsets passed; finished when all partitions stand where they stood.
    """
    with engine.connect() as connection:
        found = {row.id: row for row in rows(connection, "read_replay_progress", streams=list(ends))}
    passed = 0
    for span in spans:
        position = min(found[span.stream_id].next_offset, ends[span.stream_id])
        passed += max(0, position - span.start)
    finished = all(found[id_].next_offset >= end for id_, end in ends.items())
    return State(passed, finished, sorted((row.id, row.epoch, row.owner, row.next_offset) for row in found.values()))


def count_revived(engine: Engine, spans: Sequence[Span], since: datetime) -> int:
    """How many dead letters a forced replay has applied.

    Args:
        engine: PostgreSQL.
        spans: what is replayed.
        since: when it began, by PostgreSQL's clock.
    """
    with engine.connect() as connection:
        return sum(
            rows(
                connection,
                "count_revived_dead_letters",
                stream=span.stream_id,
                start=span.start,
                end=span.end,
                replayed=DeadLetterStatus.REPLAYED.value,
                since=since,
            )[0].letters
            for span in spans
        )
