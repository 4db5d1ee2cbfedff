"""What operators do with parked events: have them tried at once, or discard them (DESIGN section 3)."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from consumer.codes import DeadLetterStatus
from consumer.contracts import decode
from consumer.contracts.records import headers_from_json
from consumer.errors import InvalidEvent
from consumer.ops.chunks import chunks
from consumer.ops.waiting import State
from consumer.store import processed_events
from consumer.store.reading.documents import rows
from consumer.store.reading.parked import type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from consumer.store.reading.documents import AnyRow

_LOOK_AT = 10_000
"""Events that one statement looks at."""

_GONE = "does not wait: it was applied, or is a dead letter; see `release-consumer dead-letters list`"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Waiting events that an operator chose.

    Args:
        waiting: id and size in bytes, in the order of their arrival.
        event_type: only those of this type; seen when the events are read.
        skipped: id of others that were meant -> why nothing is done with them.
    """

    waiting: list[tuple[int, int]]
    event_type: str | None = None
    skipped: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which waiting events are meant; ``None`` lets all through.

    Args:
        key: only events of this key.
        event_type: only events of this type.
        topic: only events that came by this topic.
        partition: only those of this partition of it.
    """

    key: str | None = None
    event_type: str | None = None
    topic: str | None = None
    partition: int | None = None


def choose(
    connection: Connection,
    filters: Filters,
    *,
    ids: Sequence[int] = (),
    unread: Mapping[int, str] = MappingProxyType({}),
) -> Chosen:
    """Find waiting events to do something with.

    Args:
        connection: any.
        filters: what they must be like.
        ids: these; none means all that the filters let through.
        unread: streams whose events nobody would try, with why; these are skipped.
    """
    found = rows(
        connection,
        "select_parked",
        ids=list(ids) or None,
        key=filters.key,
        topic=filters.topic,
        partition=filters.partition,
    )
    skipped = dict.fromkeys(set(ids) - {row.id for row in found}, _GONE)
    skipped |= {row.id: unread[row.offset_id] for row in found if row.offset_id in unread}
    waiting = [(row.id, row.size) for row in found if row.id not in skipped]
    return Chosen(waiting, filters.event_type, skipped)


class Retry:
    """Waiting events that are tried at once; of those of one key only the first is.

    Args:
        engine: PostgreSQL.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pending: dict[int, tuple[int, int]] = {}
        self.started = 0
        self.waiting = 0
        self.fates: Counter[str] = Counter()

    def start(self, chosen: Chosen, on_progress: Callable[[int], None]) -> None:
        """Make events due, in bounded transactions.

        Args:
            chosen: those to try.
            on_progress: told how many were looked at so far.
        """
        seen = 0
        for ids in chunks(chosen.waiting):
            with self._engine.begin() as connection:
                wanted = [event.id for event in _read(connection, ids, chosen.event_type)] if chosen.event_type else ids
                retried = rows(connection, "retry_parked", ids=wanted)
            self._pending |= {event.id: (event.offset_id, event.position) for event in retried}
            seen += len(ids)
            on_progress(seen)
        self.started = len(self._pending)

    def look(self) -> State:
        """See what became of them: counts in ``fates`` as ``applied``, ``dead``, ``discarded``; others wait on."""
        waiting = due = 0
        with self._engine.connect() as connection:
            pending = list(self._pending.items())
            for first in range(0, len(pending), _LOOK_AT):
                for event in self._look_at(connection, pending[first : first + _LOOK_AT]):
                    waiting += event.is_waiting
                    due += bool(event.is_due)
                    if not event.is_waiting:
                        del self._pending[event.id]
                        self.fates[_fate(event.status)] += 1
            # Others may be before them.
            life = tuple(rows(connection, "read_signs_of_life")[0])
        self.waiting = waiting
        return State(self.started - due, due == 0, life)

    def _look_at(self, connection: Connection, events: list[tuple[int, tuple[int, int]]]) -> Sequence[AnyRow]:
        return rows(
            connection,
            "read_retried",
            ids=[id_ for id_, _ in events],
            streams=[stream for _, (stream, _) in events],
            offsets=[offset for _, (_, offset) in events],
        )


def _fate(status: int | None) -> str:
    """What an event that waits no longer became, by the status of its dead letter, if it has one."""
    if status in (None, DeadLetterStatus.REPLAYED):
        return "applied"
    return "discarded" if status == DeadLetterStatus.DISCARDED else "dead"


def discard(engine: Engine, chosen: Chosen, max_event_bytes: int, on_progress: Callable[[int], None]) -> int:
    """Turn waiting events into dead letters that nobody need see to; those behind them go on.

    Their event ids may come again, mended.

    Args:
        engine: PostgreSQL.
        chosen: those to discard.
        max_event_bytes: of the settings.
        on_progress: told how many were looked at so far.

    Returns:
        how many were discarded; others were applied meanwhile.
    """
    discarded = seen = 0
    for ids in chunks(chosen.waiting):
        with engine.begin() as connection:
            discarded += _discard_chunk(connection, ids, chosen.event_type, max_event_bytes)
        seen += len(ids)
        on_progress(seen)
    return discarded


def _discard_chunk(connection: Connection, ids: list[int], event_type: str | None, max_event_bytes: int) -> int:
    events = _read(connection, ids, event_type)
    rows(connection, "lock_streams", streams=sorted({event.offset_id for event in events}))
    gone = rows(
        connection,
        "discard_parked",
        rows=orjson.dumps([{"id": event.id, "event_type": type_of(event)} for event in events]).decode(),
        discarded=DeadLetterStatus.DISCARDED.value,
    )
    forgotten = {event.id for event in gone if event.is_forgotten}
    digests = [_digest(event, max_event_bytes) for event in events if event.id in forgotten]
    with closing(connection.connection.cursor()) as cursor:
        processed_events.forget(cursor, [digest for digest in digests if digest is not None])  # type: ignore[arg-type]  # the driver is psycopg2
    return len(gone)


def _read(connection: Connection, ids: list[int], event_type: str | None) -> list[AnyRow]:
    events = rows(connection, "read_parked_records", ids=ids)
    return [event for event in events if event_type is None or type_of(event) == event_type]


def _digest(event: AnyRow, max_event_bytes: int) -> str | None:
    """What the event's id is remembered by since it was parked; ``None`` for one that is no event."""
    try:
        return processed_events.event_digest(
            decode(bytes(event.value or b""), headers_from_json(event.headers), max_bytes=max_event_bytes)
        )
    except InvalidEvent:
        return None
