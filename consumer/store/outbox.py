"""The outbox: what is still to be announced, numbered per stream without gaps in the order of commits.

A row only points: to an activity, or to a dead letter. The stream's row lock is held until the batch commits, so
numbers become visible in their order (DESIGN section 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.store.copying import copy_rows, delete_rows
from consumer.store.database import Cursor, fetch_one, sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One announcement to make: either id is set."""

    stream_id: int
    seq: int
    activity_id: int | None = None
    dead_letter_id: int | None = None


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement as it goes out.

    Args:
        seq: number within its stream.
        dead_letter: whether it belongs on the topic of dead letters.
        key: record key.
        cloudevent: the event, JSON text.
    """

    seq: int
    dead_letter: bool
    key: bytes | None
    cloudevent: str


def enqueue(cursor: Cursor, rows: Sequence[OutboxRow]) -> None:
    """Queue announcements; they exist when the batch commits."""
    copy_rows(
        cursor,
        "outbox",
        "offset_id, seq, activity_id, dead_letter_id",
        [(row.stream_id, row.seq, row.activity_id, row.dead_letter_id) for row in rows],
    )


def read_outbox(cursor: Cursor, stream_id: int, after_seq: int, to_seq: int, limit: int) -> list[Announcement]:
    """Announcements of a stream in their order.

    Args:
        cursor: any transaction.
        stream_id: the stream.
        after_seq: the last number that is announced already.
        to_seq: the last number wanted.
        limit: announcements, at most.
    """
    cursor.execute(sql("read_outbox"), {"stream": stream_id, "after": after_seq, "to": to_seq, "limit": limit})
    return [
        Announcement(seq, dead_letter, None if key is None else bytes(key), cloudevent)
        for seq, dead_letter, key, cloudevent in cursor.fetchall()
    ]


def lowest_seq(cursor: Cursor, stream_id: int) -> int | None:
    """The lowest number that a stream still holds, ``None`` for an empty queue."""
    cursor.execute("SELECT min(seq) FROM outbox WHERE offset_id = %s", (stream_id,))
    (seq,) = fetch_one(cursor)
    return None if seq is None else int(seq)


def prune(cursor: Cursor, announced: Mapping[int, int]) -> None:
    """Drop what is announced: stream id -> the last number that Kafka has committed."""
    delete_rows(cursor, "prune_outbox", [{"stream": stream, "seq": seq} for stream, seq in announced.items()])
