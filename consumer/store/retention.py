"""Retention: what nobody needs any more goes, a bounded batch at a time, beside the workers (DESIGN section 3).

Every batch is a short transaction of its own, which only one worker of all may be in. It waits for no row that a
batch of events holds, but for the totals of dead letters, which it takes in the order that workers take them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.store import streams
from consumer.store.database import Cursor, fetch_one, sql, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Engine

    from consumer.settings import Settings

BATCH_ROWS = 5000
"""Rows of one transaction: event ids, outbox rows."""

BATCH_LETTERS = 500
"""Dead letters of one transaction: they are large, and the partition they are of waits."""

# Looking is a scan, and places found are kept in memory.
_LOOK_ROWS = 50_000

# Any number does, so long as every process that removes takes the same.
_RETENTION_LOCK = 727_274_658

_LOCK_WAIT_SECONDS = 2.0


@dataclass(slots=True)
class Removed:
    """How many rows are gone."""

    event_ids: int = 0
    dead_letters: int = 0

    @property
    def rows(self) -> int:
        """All of them."""
        return self.event_ids + self.dead_letters


def retain(
    engine: Engine, settings: Settings, now: datetime, budget: int, is_over: Callable[[], bool] = lambda: False
) -> Removed:
    """Remove event ids and dead letters that are past their time.

    Nothing happens while another worker is at it.

    Args:
        engine: PostgreSQL; one connection is used.
        settings: how long they are kept.
        now: the time, UTC.
        budget: rows to remove, at most.
        is_over: asked before every batch; when it says yes, the rest is for the next time.

    Raises:
        psycopg2.Error: PostgreSQL does not answer, or the row of a partition was held for too long; what was removed
            before is gone, the rest is for the next time.
    """
    removed = Removed()
    before = now - timedelta(days=settings.dead_letter_retention_days)
    for stream_id, ids in _find_dead_letters(engine, before, budget):
        if is_over():
            return removed
        removed.dead_letters += _remove_dead_letters(engine, stream_id, ids, before)
    before = now - timedelta(days=settings.event_id_retention_days)
    while (room := budget - removed.rows) > 0 and (places := _find_event_ids(engine, before, min(room, _LOOK_ROWS))):
        known = removed.event_ids
        for start in range(0, len(places), BATCH_ROWS):
            if is_over():
                return removed
            removed.event_ids += _remove_event_ids(engine, places[start : start + BATCH_ROWS], before)
        if removed.event_ids == known:
            break  # others hold them, or have removed them
    return removed


def prune_outbox(
    engine: Engine, announced: Mapping[int, int], budget: int, is_over: Callable[[], bool] = lambda: False
) -> int:
    """Remove outbox rows that Kafka has committed, also of partitions on which nothing happens any more.

    Safe at any time and by any worker: that a number was announced stays true.

    Args:
        engine: PostgreSQL; one connection is used.
        announced: stream id -> the last number that Kafka has committed.
        budget: rows to remove, at most.
        is_over: asked before every batch.

    Returns:
        how many are gone.

    Raises:
        psycopg2.Error: PostgreSQL does not answer.
    """
    gone = 0
    for stream_id, seq in announced.items():
        batch = BATCH_ROWS
        while batch == BATCH_ROWS and gone < budget and not is_over():
            with transaction(engine) as cursor:
                cursor.execute(sql("retain_outbox"), {"stream": stream_id, "seq": seq, "limit": BATCH_ROWS})
                batch = cursor.rowcount
            gone += batch
    return gone


def _find_dead_letters(engine: Engine, before: datetime, limit: int) -> list[tuple[int, list[int]]]:
    """Letters past their time, in batches of one stream each."""
    with transaction(engine) as cursor:
        cursor.execute(sql("retain_find_dead_letters"), {"before": before, "limit": min(limit, _LOOK_ROWS)})
        found = cursor.fetchall()
    ids: defaultdict[int, list[int]] = defaultdict(list)
    for stream_id, id_ in found:
        ids[stream_id].append(id_)
    return [
        (stream_id, of_stream[start : start + BATCH_LETTERS])
        for stream_id, of_stream in ids.items()
        for start in range(0, len(of_stream), BATCH_LETTERS)
    ]


def _remove_dead_letters(engine: Engine, stream_id: int, ids: list[int], before: datetime) -> int:
    """Remove letters of a stream; those that were never applied are counted as pruned, so that the totals add up."""
    with transaction(engine) as cursor:
        if not _is_alone(cursor):
            return 0
        streams.limit_lock_wait(cursor, _LOCK_WAIT_SECONDS)
        # First, as every batch does: then none can wait for the other in turn.
        cursor.execute("SELECT FROM consumer_offset WHERE id = %s FOR UPDATE", (stream_id,))
        cursor.execute(sql("retain_dead_letters"), {"ids": ids, "before": before})
        were_dead = [was_dead for (was_dead,) in cursor.fetchall()]
        cursor.execute("UPDATE consumer_offset SET pruned = pruned + %s WHERE id = %s", (sum(were_dead), stream_id))
    return len(were_dead)


def _find_event_ids(engine: Engine, before: datetime, limit: int) -> list[str]:
    """Where rows past their time are; one look for many batches, for each would pass what was just removed."""
    with transaction(engine) as cursor:
        if not _is_alone(cursor):
            return []
        cursor.execute(sql("retain_find_event_ids"), {"before": before, "limit": limit})
        return [place for (place,) in cursor.fetchall()]


def _remove_event_ids(engine: Engine, places: list[str], before: datetime) -> int:
    with transaction(engine) as cursor:
        if not _is_alone(cursor):
            return 0
        cursor.execute(sql("retain_event_ids"), {"places": places, "before": before})
        (removed,) = fetch_one(cursor)
    return int(removed)


def _is_alone(cursor: Cursor) -> bool:
    """Whether no other worker removes; holds to the end of the transaction."""
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_RETENTION_LOCK,))
    return bool(fetch_one(cursor)[0])
