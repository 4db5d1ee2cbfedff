"""Streams: where the group stands in each partition, and who may move it (DESIGN section 1).

A stream is one row of ``consumer_offset``. Raising its epoch takes the partition over; every batch moves its
``next_offset`` only from where the worker believes it to be, under the worker's own epoch. That fences zombies and
lets ops move an offset while workers run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import orjson

from consumer.errors import Fenced
from consumer.store.database import Cursor, fetch_one, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class PartitionId:
    """A partition, named so that a topic created anew is another one: by Kafka's ids."""

    cluster_id: str
    topic_id: str
    topic: str
    partition: int


@dataclass(slots=True)
class Stream:
    """A partition that this worker has taken over.

    ``name`` is what the metadata of Kafka's committed offset must carry to be about this stream. ``next_seq`` is
    the number that the next announcement of the stream gets.
    """

    id: int
    name: UUID
    epoch: int
    next_offset: int
    next_seq: int


@dataclass(frozen=True, slots=True)
class Advance:
    """One stream moves from ``expected`` to ``next_offset`` in a batch."""

    stream: Stream
    expected: int
    next_offset: int


@dataclass(slots=True)
class Tally:
    """What a batch did to one stream: events by fate, and announcements made."""

    applied: int = 0
    duplicate: int = 0
    parked: int = 0
    dead: int = 0
    absent: int = 0
    announcements: int = 0


def claim(cursor: Cursor, group_id: str, partition: PartitionId, owner: str, first_offset: int) -> Stream:
    """Take a partition over: raises its epoch, so that whoever had it can no longer write.

    Args:
        cursor: in a transaction of its own, committed at once.
        group_id: Kafka consumer group.
        partition: the partition.
        owner: name of this worker, for people.
        first_offset: where to start if the group never read this partition.
    """
    cursor.execute(
        sql("claim_stream"),
        {
            "group_id": group_id,
            "cluster_id": partition.cluster_id,
            "topic_id": partition.topic_id,
            "topic": partition.topic,
            "partition": partition.partition,
            "name": str(uuid4()),
            "owner": owner,
            "first_offset": first_offset,
        },
    )
    id_, name, epoch, next_offset, next_seq = fetch_one(cursor)
    return Stream(id_, UUID(str(name)), epoch, next_offset, next_seq)


def limit_lock_wait(cursor: Cursor, seconds: float) -> None:
    """Let this transaction wait for a row that another holds so long at most; then it fails."""
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", (f"{seconds * 1000:.0f}ms",))


def advance(cursor: Cursor, advances: Sequence[Advance]) -> None:
    """Move streams, first thing in a batch's transaction; holds their rows to the commit.

    Raises:
        Fenced: another worker took a partition over, or its offset was moved: nothing of this batch may be written.
    """
    moves = [
        {"id": a.stream.id, "epoch": a.stream.epoch, "expected": a.expected, "next_offset": a.next_offset}
        for a in sorted(advances, key=lambda a: a.stream.id)
    ]
    cursor.execute(sql("advance_streams"), {"moves": orjson.dumps(moves).decode()})
    hit: dict[int, int] = dict(cursor.fetchall())
    missed = [a.stream.id for a in advances if a.stream.id not in hit]
    if missed:
        message = f"another worker or an operator moved {len(missed)} of {len(moves)} partitions"
        raise Fenced(message)
    for a in advances:
        a.stream.next_seq = hit[a.stream.id]


def tally(cursor: Cursor, tallies: Iterable[tuple[Stream, Tally]]) -> None:
    """Add what a batch did to the totals of its streams, and move their ``next_seq``."""
    rows = [
        {
            "id": stream.id,
            "announcements": t.announcements,
            "applied": t.applied,
            "duplicate": t.duplicate,
            "parked": t.parked,
            "dead": t.dead,
            "absent": t.absent,
        }
        for stream, t in tallies
    ]
    cursor.execute(sql("tally_streams"), {"tallies": orjson.dumps(rows).decode()})


def reread(cursor: Cursor, stream: Stream) -> tuple[str, Stream]:
    """Owner and state of a stream as the database has them now."""
    cursor.execute(sql("reread_stream"), {"id": stream.id})
    owner, epoch, next_offset, next_seq = fetch_one(cursor)
    return owner, Stream(stream.id, stream.name, epoch, next_offset, next_seq)


def find_lost(cursor: Cursor, streams: Iterable[Stream]) -> set[int]:
    """Ids of those streams whose epoch is no longer the one that this worker raised it to."""
    expected = {stream.id: stream.epoch for stream in streams}
    cursor.execute(sql("read_epochs"), {"ids": list(expected)})
    epochs = dict(cursor.fetchall())
    return {id_ for id_, epoch in expected.items() if epochs.get(id_) != epoch}


def find_positions(cursor: Cursor, group_id: str) -> dict[PartitionId, Stream]:
    """Where the group stands in every partition that it ever read."""
    cursor.execute(sql("read_positions"), {"group": group_id})
    return {
        PartitionId(cluster_id, topic_id, topic, partition): Stream(id_, UUID(str(name)), epoch, next_offset, next_seq)
        for cluster_id, topic_id, topic, partition, id_, name, epoch, next_offset, next_seq in cursor.fetchall()
    }
