"""Parked events: they wait in the database, per key in order, while everything else flows (DESIGN section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.contracts.records import Record, headers_from_json
from consumer.store.copying import copy_rows, delete_rows
from consumer.store.database import Cursor, fetch_one, sql
from consumer.store.dead_letters import RECORD_COLUMNS, record_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that waits. Only the first of its key is tried; ``attempts`` counts its tries so far."""

    id: int
    stream_id: int
    event_key: str
    attempts: int
    record: Record


def waiting_keys(cursor: Cursor, keys: Iterable[str]) -> set[str]:
    """Those of the keys that have events waiting: later events of the same key must wait behind them."""
    wanted = list(set(keys))
    if not wanted:
        return set()
    cursor.execute(sql("waiting_keys"), {"keys": wanted})
    return {key for (key,) in cursor.fetchall()}


def park(cursor: Cursor, events: Sequence[tuple[int, Record, str, str, int, datetime]], now: datetime) -> None:
    """Park events, in their order.

    Args:
        cursor: inside the batch's transaction.
        events: stream id, record, key, reason, attempts so far, time of the next attempt.
        now: time of the batch.
    """
    copy_rows(
        cursor,
        "parked_event",
        f"{RECORD_COLUMNS}, event_key, reason, attempts, next_attempt_at, parked_at",
        [
            (*record_columns(stream_id, record), key, reason, attempts, next_attempt_at, now)
            for stream_id, record, key, reason, attempts, next_attempt_at in events
        ],
    )


def due_events(cursor: Cursor, stream_ids: Iterable[int], now: datetime, limit: int) -> list[ParkedEvent]:
    """Events of keys whose first waiting event is due, in their order.

    Args:
        cursor: any transaction.
        stream_ids: the streams of this worker.
        now: time to compare with.
        limit: events, at most.
    """
    cursor.execute(sql("due_events"), {"streams": list(stream_ids), "now": now, "limit": limit})
    return [
        ParkedEvent(
            id_,
            stream_id,
            event_key,
            attempts,
            Record(
                topic,
                partition,
                offset,
                None if key is None else bytes(key),
                None if value is None else bytes(value),
                headers_from_json(headers),
                timestamp,
            ),
        )
        for id_, stream_id, event_key, attempts, topic, partition, offset, key, headers, value, timestamp in (
            cursor.fetchall()
        )
    ]


def find_untouched(cursor: Cursor, events: Iterable[ParkedEvent]) -> set[int]:
    """Ids of those events that still wait, with no attempt more than when they were read."""
    attempts = {event.id: event.attempts for event in events}
    if not attempts:
        return set()
    cursor.execute(sql("read_attempts"), {"ids": list(attempts)})
    return {id_ for id_, tried in cursor.fetchall() if attempts[id_] == tried}


def next_due(cursor: Cursor, stream_ids: Iterable[int]) -> datetime | None:
    """When the next waiting event of these streams is due; ``None`` if none waits."""
    cursor.execute(sql("next_due"), {"streams": list(stream_ids)})
    due: datetime | None = fetch_one(cursor)[0]
    return due


def settle(cursor: Cursor, parked_ids: Iterable[int]) -> None:
    """Take events out of the waiting room: they were applied, or became dead letters."""
    delete_rows(cursor, "settle_parked", list(parked_ids))


def postpone(cursor: Cursor, parked_id: int, reason: str, next_attempt_at: datetime) -> None:
    """Count a failed attempt and set the time of the next."""
    cursor.execute(sql("postpone_parked"), {"id": parked_id, "reason": reason, "next_attempt_at": next_attempt_at})
