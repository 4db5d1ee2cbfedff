"""Parked events: they wait in the database, per key in order, while everything else flows (DESIGN section 3)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import orjson

from consumer.contracts.records import Record, headers_from_json
from consumer.errors import StaleSnapshot
from consumer.store.copying import copy_rows, delete_rows
from consumer.store.database import Cursor, sql
from consumer.store.dead_letters import RECORD_COLUMNS, record_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits. Only the first of its key is tried.

    Args:
        id: of its row.
        stream_id: the stream whose owner tries it.
        origin_id: the stream it came by; another one where the topic was created anew since.
        event_key: events of one key wait in the order of their arrival.
        attempts: its tries so far.
        replayed: it came by a forced replay: it was counted when it first came.
        dead_letter_id: the dead letter that is tried again, if it is one.
        arrived_at: when it first came.
        record: the event.
    """

    id: int
    stream_id: int
    origin_id: int
    event_key: str
    attempts: int
    replayed: bool
    dead_letter_id: int | None
    arrived_at: datetime
    record: Record


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that must wait from now on: why, and when it is tried next."""

    stream_id: int
    record: Record
    event_key: str
    reason: str
    next_attempt_at: datetime
    replayed: bool = False
    dead_letter_id: int | None = None


@dataclass(frozen=True, slots=True)
class Postponed:
    """A waiting event whose attempt failed: tries so far, why, and when it is tried next."""

    id: int
    attempts: int
    reason: str
    next_attempt_at: datetime


def waiting_keys(cursor: Cursor, keys: Iterable[str]) -> set[str]:
    """Those of the keys that have events waiting: later events of the same key must wait behind them."""
    wanted = list(set(keys))
    if not wanted:
        return set()
    cursor.execute(sql("waiting_keys"), {"keys": orjson.dumps(wanted).decode()})
    return {key for (key,) in cursor.fetchall()}


def find_first(cursor: Cursor, events: Collection[tuple[str, int, int]]) -> set[tuple[int, int]]:
    """Those records (stream id, offset) that came before all that waits of their keys: a forced replay brings them.

    Args:
        cursor: inside the batch's transaction.
        events: key, stream id and offset of records whose keys have events waiting.
    """
    if not events:
        return set()
    cursor.execute(sql("find_first_waiting"), {"keys": orjson.dumps(list({key for key, _, _ in events})).decode()})
    first: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for key, stream, offset in cursor.fetchall():
        first[key][stream] = offset
    return {
        (stream, offset)
        for key, stream, offset in events
        if all(other == stream and offset < waiting for other, waiting in first[key].items())
    }


def find_waiting(cursor: Cursor, records: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the records (stream id, offset) that wait already: a forced replay leaves them where they are."""
    if not records:
        return set()
    streams, offsets = zip(*records, strict=True)
    cursor.execute(sql("find_waiting"), {"streams": list(streams), "offsets": list(offsets)})
    return set(cursor.fetchall())


def park(cursor: Cursor, events: Sequence[Waiting], now: datetime) -> None:
    """Park events, in their order.

    Args:
        cursor: inside the batch's transaction.
        events: those that must wait.
        now: time of the batch.
    """
    arrivals = _find_arrivals(cursor, events, now)
    copy_rows(
        cursor,
        "parked_event",
        f"{RECORD_COLUMNS}, event_key, reason, attempts, next_attempt_at, parked_at, arrived_at, replayed,"
        " dead_letter_id",
        [
            (
                *record_columns(event.stream_id, event.record),
                event.event_key,
                event.reason,
                1,
                event.next_attempt_at,
                now,
                arrived_at,
                event.replayed,
                event.dead_letter_id,
            )
            for event, arrived_at in zip(events, arrivals, strict=True)
        ],
    )


def _find_arrivals(cursor: Cursor, events: Sequence[Waiting], now: datetime) -> list[datetime]:
    """When events came, as far as it orders them among those of their keys that wait.

    Behind those that wait, also where the clock was set back or another worker's is ahead. But what a forced replay
    brings again goes before what came after it.
    """
    if not events:
        return []
    cursor.execute(sql("find_last_arrivals"), {"keys": list({event.event_key for event in events})})
    last = dict(cursor.fetchall())
    followers = _find_followers(cursor, [event for event in events if event.replayed or event.dead_letter_id])
    return [
        max(now, last.get(event.event_key, now)) if follower is None else follower - _INSTANT
        for event in events
        for follower in [followers.get((event.stream_id, event.record.offset))]
    ]


def _find_followers(cursor: Cursor, events: Sequence[Waiting]) -> dict[tuple[int, int], datetime]:
    """Stream id and offset of events -> when the first of those came that wait and that came after them."""
    if not events:
        return {}
    keys, streams, offsets = zip(*((e.event_key, e.stream_id, e.record.offset) for e in events), strict=True)
    cursor.execute(sql("find_followers"), {"keys": list(keys), "streams": list(streams), "offsets": list(offsets)})
    return {(stream, offset): arrived_at for stream, offset, arrived_at in cursor.fetchall()}


def due_events(
    cursor: Cursor, stream_ids: Iterable[int], now: datetime, limit: int, max_bytes: int
) -> list[ParkedEvent]:
    """Events of keys whose first waiting event is due, in their order.

    Args:
        cursor: any transaction.
        stream_ids: the streams of this worker.
        now: time to compare with.
        limit: events, at most.
        max_bytes: of their values together, but for the last one.
    """
    cursor.execute(sql("due_events"), {"streams": list(stream_ids), "now": now, "limit": limit, "bytes": max_bytes})
    columns = len(fields(ParkedEvent)) - 1
    return [ParkedEvent(*(*row[:columns], _record(*row[columns:]))) for row in cursor.fetchall()]


def _record(
    topic: str,
    partition: int,
    offset: int,
    key: memoryview | None,
    headers: list[list[str | None]],
    value: memoryview | None,
    timestamp: datetime | None,
) -> Record:
    return Record(
        topic,
        partition,
        offset,
        None if key is None else bytes(key),
        None if value is None else bytes(value),
        headers_from_json(headers),
        timestamp,
    )


def find_untouched(cursor: Cursor, events: Iterable[ParkedEvent]) -> set[int]:
    """Ids of those events whose turn it still is.

    They wait with no attempt more than when they were read, and so does everything that waits before them: else
    another batch, or the other half of this one, has seen to some, and they would overtake the rest of their key.
    """
    told = [{"id": event.id, "attempts": event.attempts} for event in events]
    if not told:
        return set()
    cursor.execute(sql("read_attempts"), {"events": orjson.dumps(told).decode()})
    return {id_ for (id_,) in cursor.fetchall()}


def settle(cursor: Cursor, parked_ids: Iterable[int]) -> None:
    """Take events out of the waiting room: they were applied, or became dead letters.

    Raises:
        StaleSnapshot: an operator has discarded one of them meanwhile.
    """
    ids = list(parked_ids)
    delete_rows(cursor, "settle_parked", ids)
    if ids:
        _require_all(cursor, len(ids))


def postpone(cursor: Cursor, events: Iterable[Postponed]) -> None:
    """Note failed attempts, and the times of the next.

    Raises:
        StaleSnapshot: an operator has discarded one of them meanwhile.
    """
    rows = [asdict(event) for event in events]
    if rows:
        cursor.execute(sql("postpone_parked"), {"rows": orjson.dumps(rows).decode()})
        _require_all(cursor, len(rows))


def _require_all(cursor: Cursor, expected: int) -> None:
    if cursor.rowcount != expected:
        message = f"{expected - cursor.rowcount} of {expected} parked events are gone"
        raise StaleSnapshot(message)
