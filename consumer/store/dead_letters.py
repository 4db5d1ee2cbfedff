"""Dead letters: events that cannot be applied, kept whole, so that nothing is lost (DESIGN section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from consumer.contracts.records import Record, headers_to_json
from consumer.store.copying import copy_rows
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consumer.errors import EventError


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that became a dead letter, with why."""

    id: int
    stream_id: int
    record: Record
    event_type: str | None
    error: EventError


def record_columns(stream_id: int, record: Record) -> tuple[Any, ...]:
    """A record in the order of ``RECORD_COLUMNS``."""
    return (
        stream_id,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        orjson.dumps(headers_to_json(record.headers)).decode(),
        record.value,
        record.timestamp,
    )


RECORD_COLUMNS = 'offset_id, topic, partition, "offset", record_key, headers, value, timestamp'


def find_buried(cursor: Cursor, records: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the records (stream id, offset) that are dead letters already."""
    if not records:
        return set()
    streams, offsets = zip(*records, strict=True)
    cursor.execute(sql("find_buried"), {"streams": list(streams), "offsets": list(offsets)})
    return set(cursor.fetchall())


def bury(cursor: Cursor, dead_letters: Sequence[DeadLetter], now: datetime) -> None:
    """Keep dead letters."""
    copy_rows(
        cursor,
        "dead_letter",
        f"id, {RECORD_COLUMNS}, reason, errors, event_type, dead_at",
        [
            (
                letter.id,
                *record_columns(letter.stream_id, letter.record),
                letter.error.reason,
                orjson.dumps([{"path": v.path, "message": v.message} for v in letter.error.violations]).decode(),
                letter.event_type,
                now,
            )
            for letter in dead_letters
        ],
    )
