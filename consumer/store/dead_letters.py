"""Dead letters: events that cannot be applied, kept whole, so that nothing is lost (DESIGN section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from consumer.codes import DeadLetterStatus
from consumer.contracts.records import Record, headers_to_json
from consumer.errors import StaleSnapshot
from consumer.store.copying import copy_rows
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from consumer.errors import EventError


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that became a dead letter, with why; ``arrived_at`` is when it first came."""

    id: int
    stream_id: int
    record: Record
    event_type: str | None
    error: EventError
    arrived_at: datetime


_MOST_ERRORS = 2_500
"""Errors of a dead letter that are kept: it must fit into an announcement. Validation lists fewer."""


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


def find_letters(
    cursor: Cursor, records: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], tuple[int, DeadLetterStatus]]:
    """Ids and states of the dead letters among these records (stream id, offset)."""
    if not records:
        return {}
    streams, offsets = zip(*records, strict=True)
    cursor.execute(sql("find_dead_letters_of"), {"streams": list(streams), "offsets": list(offsets)})
    return {
        (stream, offset): (letter, DeadLetterStatus(status)) for stream, offset, letter, status in cursor.fetchall()
    }


def bury(cursor: Cursor, dead_letters: Sequence[DeadLetter], now: datetime) -> None:
    """Keep dead letters."""
    copy_rows(
        cursor,
        "dead_letter",
        f"id, {RECORD_COLUMNS}, reason, errors, event_type, dead_at, arrived_at",
        [
            (
                letter.id,
                *record_columns(letter.stream_id, letter.record),
                letter.error.reason,
                _errors(letter.error),
                letter.event_type,
                now,
                letter.arrived_at,
            )
            for letter in dead_letters
        ],
    )


def settle(cursor: Cursor, letters: Mapping[int, DeadLetterStatus], now: datetime) -> None:
    """Note what became of dead letters (by id) that were tried again.

    Raises:
        StaleSnapshot: an operator has discarded one of them meanwhile.
    """
    if letters:
        rows = [{"id": id_, "status": status} for id_, status in letters.items()]
        cursor.execute(sql("settle_dead_letters"), {"rows": orjson.dumps(rows).decode(), "now": now})
        if cursor.rowcount != len(rows):
            message = f"{len(rows) - cursor.rowcount} of {len(rows)} dead letters were seen to meanwhile"
            raise StaleSnapshot(message)


def rebury(cursor: Cursor, letters: Sequence[tuple[int, EventError, str | None]]) -> None:
    """Dead letters (id, error, event type) that were tried again in vain are open again, with what is wrong now."""
    if letters:
        rows = [
            {"id": id_, "reason": error.reason, "errors": orjson.Fragment(_errors(error)), "event_type": event_type}
            for id_, error, event_type in letters
        ]
        cursor.execute(sql("rebury_dead_letters"), {"rows": orjson.dumps(rows).decode()})


def _errors(error: EventError) -> str:
    errors = [{"path": v.path, "message": v.message} for v in error.violations[:_MOST_ERRORS]]
    if len(error.violations) > _MOST_ERRORS:
        errors.append({"path": "$", "message": f"has more errors than these {_MOST_ERRORS}; the rest is not listed"})
    return orjson.dumps(errors).decode()
