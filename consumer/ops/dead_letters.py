"""What operators do with dead letters: have them tried again, or discard them (DESIGN section 3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import orjson

from consumer.codes import DeadLetterStatus
from consumer.contracts import decode
from consumer.contracts.records import headers_from_json
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import InvalidEvent
from consumer.ops.chunks import chunks
from consumer.ops.waiting import State
from consumer.store.processed_events import event_digest
from consumer.store.reading.dead_letters import unknown_dead_letters
from consumer.store.reading.documents import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    from consumer.store.reading.documents import AnyRow

_LOOK_AT = 10_000
"""Dead letters that one statement looks at."""

_NO_DIGEST = "0" * 32


@dataclass(frozen=True, slots=True)
class Chosen:
    """Dead letters that an operator chose.

    Args:
        open: id and size in bytes of those that are open, in the order in which they first came.
        skipped: id of others that were named -> why nothing is done with them.
    """

    open: list[tuple[int, int]]
    skipped: dict[int, str] = field(default_factory=dict)


def choose(
    connection: Connection,
    *,
    ids: Sequence[int] = (),
    reason: str | None = None,
    event_type: str | None = None,
    unread: Mapping[int, str] = MappingProxyType({}),
) -> Chosen:
    """Find dead letters to do something with.

    Args:
        connection: any.
        ids: these; none means all that the filters let through.
        reason: only those with this reason.
        event_type: only those of events of this type.
        unread: streams whose events nobody would try, with why; these are skipped.

    Raises:
        UsageError: there is no dead letter with one of the ids.
    """
    skipped = {}
    if ids:
        found = {row.id: row for row in rows(connection, "find_dead_letters", ids=list(ids))}
        missing = [id_ for id_ in ids if id_ not in found]
        if missing:
            raise unknown_dead_letters(missing)
        skipped = {row.id: _why_not(row) for row in found.values() if row.status != DeadLetterStatus.DEAD}
    chosen = rows(
        connection,
        "select_dead_letters",
        ids=list(ids) or None,
        reason=reason,
        event_type=event_type,
        dead=DeadLetterStatus.DEAD.value,
    )
    skipped |= {row.id: unread[row.offset_id] for row in chosen if row.offset_id in unread}
    return Chosen([(row.id, row.size) for row in chosen if row.id not in skipped], skipped)


def _why_not(letter: AnyRow) -> str:
    if letter.status == DeadLetterStatus.REPLAYING:
        return "is being tried again already; see `release-consumer parked list`"
    when = format_timestamp(letter.settled_at)
    if letter.status == DeadLetterStatus.REPLAYED:
        return f"was replayed already, and settled at {when}"
    return f"was discarded at {when}"


class Replay:
    """Dead letters that are tried again: each waits among the events of its key, by its first arrival.

    The owner of its partition tries it in place. Whoever replays the same letter at the same time finds it taken.

    Args:
        engine: PostgreSQL.
        max_event_bytes: of the settings; a larger event has no key.
    """

    def __init__(self, engine: Engine, max_event_bytes: int) -> None:
        self._engine = engine
        self._max_event_bytes = max_event_bytes
        self._waiting: dict[int, str] = {}
        self.started = 0
        self.fates: Counter[str] = Counter()

    def start(self, chosen: Chosen, on_progress: Callable[[int], None]) -> None:
        """Let dead letters wait for an attempt, in bounded transactions.

        What is under way when this fails stays so; to repeat it takes the rest.

        Args:
            chosen: those to try again.
            on_progress: told how many were looked at so far.
        """
        seen = 0
        for ids in chunks(chosen.open):
            with self._engine.begin() as connection:
                self._start_chunk(connection, ids)
            seen += len(ids)
            on_progress(seen)

    def _start_chunk(self, connection: Connection, ids: list[int]) -> None:
        dead, replaying = DeadLetterStatus.DEAD.value, DeadLetterStatus.REPLAYING.value
        letters = rows(connection, "read_dead_letter_records", ids=ids, dead=dead)
        events = {letter.id: self._identify(letter) for letter in letters}
        rows(connection, "lock_streams", streams=sorted({letter.offset_id for letter in letters}))
        keys = orjson.dumps([{"id": id_, "event_key": key} for id_, (key, _) in events.items()]).decode()
        started = rows(connection, "replay_dead_letters", rows=keys, dead=dead, replaying=replaying)
        self.started += len(started)
        self._waiting |= {row.id: events[row.id][1] for row in started}

    def _identify(self, letter: AnyRow) -> tuple[str, str]:
        """Ordering key and digest of an event; one that is none has a key of its own."""
        value = None if letter.value is None else bytes(letter.value)
        try:
            event = decode(value, headers_from_json(letter.headers), max_bytes=self._max_event_bytes)
        except InvalidEvent:
            return f"dead-letter:{letter.id}", _NO_DIGEST
        return event.key, event_digest(event)

    @property
    def waiting(self) -> int:
        """How many wait on, as of the last look."""
        return len(self._waiting)

    def look(self) -> State:
        """See what became of them: counts in ``fates`` as ``applied``, ``duplicate``, ``dead``, ``discarded``."""
        with self._engine.connect() as connection:
            waiting = list(self._waiting.items())
            for first in range(0, len(waiting), _LOOK_AT):
                self._look_at(connection, waiting[first : first + _LOOK_AT])
            # Others may be before them.
            life = tuple(rows(connection, "read_signs_of_life")[0])
        return State(sum(self.fates.values()), not self._waiting, life)

    def _look_at(self, connection: Connection, letters: list[tuple[int, str]]) -> None:
        settled = rows(
            connection,
            "read_replayed_dead_letters",
            ids=[id_ for id_, _ in letters],
            digests=[digest for _, digest in letters],
            replaying=DeadLetterStatus.REPLAYING.value,
            replayed=DeadLetterStatus.REPLAYED.value,
        )
        for letter in settled:
            del self._waiting[letter.id]
            self.fates[_fate(letter)] += 1


def _fate(letter: AnyRow) -> str:
    if letter.is_duplicate:
        return "duplicate"
    return "applied" if letter.status == DeadLetterStatus.REPLAYED else DeadLetterStatus(letter.status).label


def discard(engine: Engine, chosen: Chosen, on_progress: Callable[[int], None]) -> int:
    """Close dead letters without trying them again; they are kept until their retention is over.

    Args:
        engine: PostgreSQL.
        chosen: those to discard.
        on_progress: told how many were looked at so far.

    Returns:
        how many were discarded; others were seen to meanwhile.
    """
    discarded = seen = 0
    for ids in chunks((id_, 0) for id_, _ in chosen.open):
        with engine.begin() as connection:
            discarded += len(
                rows(
                    connection,
                    "discard_dead_letters",
                    ids=ids,
                    dead=DeadLetterStatus.DEAD.value,
                    discarded=DeadLetterStatus.DISCARDED.value,
                )
            )
        seen += len(ids)
        on_progress(seen)
    return discarded
