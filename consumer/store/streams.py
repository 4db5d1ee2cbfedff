"""Streams: where the group stands in each partition, and who may move it (DESIGN section 1).

A stream is one row of ``consumer_offset``. Raising its epoch takes the partition over; every batch moves its
``next_offset`` only from where the worker believes it to be, under the worker's own epoch. That fences zombies and
lets ops move an offset while workers run.

Of a row there are as many ``Stream`` objects as there were claims, each with its own epoch. The partition that the
group gave and that a stream was claimed for is ``intake.assignment.Assigned``; what is announced of it is a lane,
``announce.lane``, which tells how the three belong together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import orjson

from consumer.errors import Fenced
from consumer.store.database import Cursor, fetch_one, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


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
    the number that the next announcement of the stream gets. ``frontier`` is how far the group had come when the
    stream was taken over: what lies below has had its fate, and is a replay; ``forced`` replays apply it again.
    """

    id: int
    name: UUID
    epoch: int
    next_offset: int
    next_seq: int
    frontier: int = 0
    forced: bool = False

    def is_replay(self, offset: int) -> bool:
        """Whether the record at this offset had its fate before the stream was taken over."""
        return offset < self.frontier


@dataclass(frozen=True, slots=True)
class Advance:
    """One stream moves from ``expected`` to ``next_offset`` in a batch."""

    stream: Stream
    expected: int
    next_offset: int


@dataclass(slots=True)
class Tally:
    """What a batch did to one stream: events by fate, announcements made.

    ``parked`` falls when an event leaves the waiting room, ``dead`` when a dead letter is tried again. ``adopted``
    moves with events that waited in a topic which was created anew since.
    """

    applied: int = 0
    duplicate: int = 0
    parked: int = 0
    dead: int = 0
    absent: int = 0
    adopted: int = 0
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
    id_, name, *state = fetch_one(cursor)
    return Stream(id_, UUID(str(name)), *state)


def adopt_outbox(cursor: Cursor, stream: Stream) -> int:
    """Take over what was not announced of the topic that had this name before it was created anew.

    Who still applies what it has read of that topic is fenced: nobody would announce it. Kafka has forgotten what of
    it was announced: all of it is announced again, with the same ids.

    Args:
        cursor: in the transaction of the first claim.
        stream: the new topic's; its ``next_seq`` moves.

    Returns:
        how many announcements it took over.
    """
    cursor.execute(sql("fence_former_streams"), {"id": stream.id})
    cursor.execute(sql("adopt_outbox"), {"id": stream.id})
    before, (stream.next_seq,) = stream.next_seq, fetch_one(cursor)
    return stream.next_seq - before


def skip(cursor: Cursor, stream: Stream, next_offset: int) -> None:
    """Pass offsets that Kafka no longer has; those never passed before are counted as lost.

    Raises:
        Fenced: another worker took the partition over.
    """
    cursor.execute(sql("skip_offsets"), {"id": stream.id, "epoch": stream.epoch, "next_offset": next_offset})
    if cursor.rowcount != 1:
        message = "another worker took the partition over"
        raise Fenced(message)
    (stream.frontier,) = fetch_one(cursor)
    stream.next_offset = next_offset


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


def tally(cursor: Cursor, tallies: Mapping[int, Tally]) -> None:
    """Add what a batch did to the totals of its streams (by id), and move their ``next_seq``."""
    rows = [{"id": stream_id, **asdict(tally)} for stream_id, tally in tallies.items()]
    cursor.execute(sql("tally_streams"), {"tallies": orjson.dumps(rows).decode()})


def reread(cursor: Cursor, stream: Stream) -> tuple[str, Stream]:
    """Owner and state of a stream as the database has them now."""
    cursor.execute(sql("reread_stream"), {"id": stream.id})
    owner, *state = fetch_one(cursor)
    return owner, Stream(stream.id, stream.name, *state)


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
        PartitionId(cluster_id, topic_id, topic, partition): Stream(id_, UUID(str(name)), *state)
        for cluster_id, topic_id, topic, partition, id_, name, *state in cursor.fetchall()
    }
