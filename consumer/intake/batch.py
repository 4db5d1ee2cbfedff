"""A batch: records of some partitions, decoded and planned, that become one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.contracts import Opened, check_event, describe, glimpse_name, keeps_schema, open_event, reasons
from consumer.contracts.events import ReleaseEvent
from consumer.errors import CannotBeApplied, EventError, InvalidEvent
from consumer.handlers import Plan, plan
from consumer.store.processed_events import digest_of
from consumer.store.streams import Advance, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.contracts.records import Record
    from consumer.settings import Settings
    from consumer.store.parking import ParkedEvent

log = logging.getLogger(__name__)

FindKnown = Callable[[set[str]], "dict[str, str | None]"]
"""Tells which of some event ids (by digest) were seen, as far as can be told, and the fingerprints of their records."""


@dataclass(slots=True)
class Item:
    """One record of a batch: its plan, or the error that makes it a dead letter.

    Args:
        stream: the stream whose owner applies it.
        record: as it came in.
        plan: what it does; ``None`` where it is not an event.
        digest: what its event id is remembered by; a guess until the record is opened.
        error: what is wrong with it.
        event_type: as far as it tells.
        parked: set where the record comes out of the waiting room instead of Kafka.
        dead_letter_id: the open dead letter that it is.
        is_remembered: its event id is among those seen because of itself, so that finding it there says nothing.
        is_replay: a forced replay brings it again: it was counted when it first came.
        is_known: its event id was found among those seen before it was decoded, so it was not.
    """

    stream: Stream
    record: Record
    plan: Plan | None = None
    digest: str | None = None
    error: EventError | None = None
    event_type: str | None = None
    parked: ParkedEvent | None = None
    dead_letter_id: int | None = None
    is_remembered: bool = False
    is_replay: bool = False
    is_known: bool = False

    def __str__(self) -> str:
        return f"{self.record.topic}-{self.record.partition}@{self.record.offset}"

    @property
    def origin_id(self) -> int:
        """Id of the stream that it came by."""
        return self.parked.origin_id if self.parked else self.stream.id

    @property
    def place(self) -> tuple[int, int]:
        """The record: id of the stream that it came by, and offset."""
        return self.origin_id, self.record.offset

    @property
    def comes_first(self) -> bool:
        """Catalog events of a batch go before its release events: between topics no order is promised."""
        return self.plan is not None and not isinstance(self.plan.event, ReleaseEvent)


@dataclass(slots=True)
class Batch:
    """Items in the order of their offsets, and how far they move their streams."""

    items: list[Item]
    advances: list[Advance]

    def halves(self) -> tuple[Batch, Batch]:
        """Two batches that do the same one after the other."""
        middle = len(self.items) // 2
        first, second = self.items[:middle], self.items[middle:]
        reached = {item.stream.id: item.record.offset + 1 for item in first if item.parked is None}
        firsts, seconds = [], []
        for advance in self.advances:
            between = reached.get(advance.stream.id, advance.expected)
            firsts.append(Advance(advance.stream, advance.expected, between))
            seconds.append(Advance(advance.stream, between, advance.next_offset))
        return Batch(first, firsts), Batch(second, seconds)

    def drop(self, part: Batch) -> None:
        """Drop what it begins with: a part that was committed, so that another attempt goes on behind it."""
        del self.items[: len(part.items)]
        reached = {advance.stream.id: advance.next_offset for advance in part.advances}
        self.advances = [Advance(a.stream, reached[a.stream.id], a.next_offset) for a in self.advances]


def prepare(record: Record, stream: Stream, settings: Settings, parked: ParkedEvent | None = None) -> Item:
    """Decode and plan a record; what is wrong with it is kept, not raised."""
    item = _item(record, stream, parked)
    return _plan(item, _open(item, settings), settings)


def complete(item: Item, settings: Settings) -> None:
    """Decode and plan an item that was taken for known and is not."""
    decoded = prepare(item.record, item.stream, settings)
    item.plan, item.digest = decoded.plan, decoded.digest
    item.error, item.event_type = decoded.error, decoded.event_type


def _item(record: Record, stream: Stream, parked: ParkedEvent | None = None) -> Item:
    item = Item(stream, record, parked=parked, dead_letter_id=parked.dead_letter_id if parked else None)
    item.is_replay = parked.replayed if parked else stream.is_replay(record.offset)
    item.is_remembered = parked is not None and parked.dead_letter_id is None
    return item


def _open(item: Item, settings: Settings) -> Opened | None:
    """Read of a record as much as tells whether its event was seen before."""
    item.digest = None
    try:
        opened = open_event(item.record.value, item.record.headers, max_bytes=settings.max_event_bytes)
        item.digest = digest_of(*opened.name) if opened.name else None
    except InvalidEvent as error:
        _blame(item, error, settings)
    except Exception as error:  # noqa: BLE001  # whatever it is, its neighbours must not suffer
        _refuse(item, error)
    else:
        return opened
    return None


def _plan(item: Item, opened: Opened | None, settings: Settings) -> Item:
    if opened is not None:
        try:
            event = check_event(opened)
            item.plan, item.event_type = plan(event, settings.ignore_markers), event.type
        except InvalidEvent as error:
            # An id counts only with an event: the same may come again, mended. Rules are looked at after it is.
            item.digest = item.digest if error.reason == reasons.RULE else None
            _blame(item, error, settings)
        except Exception as error:  # noqa: BLE001  # as above
            item.digest = None
            _refuse(item, error)
    return item


def _refuse(item: Item, error: Exception) -> None:
    """Put away what nobody foresaw: a worker that ended for it would meet it again at every start."""
    log.error("%s cannot be decoded: %r", item, error)
    log.debug("because of:", exc_info=error)
    item.error = CannotBeApplied(f"cannot be decoded: {error!r}")


def _blame(item: Item, error: InvalidEvent, settings: Settings) -> None:
    record = item.record
    item.error = error
    item.event_type = describe(record.value, record.headers, max_bytes=settings.max_event_bytes).type


def make_batch(
    records: Sequence[tuple[Stream, Record]],
    starts: Mapping[int, int],
    settings: Settings,
    find_known: FindKnown = lambda _: {},
) -> Batch:
    """Make a batch of records that follow on each other in each stream.

    What a plain replay brings again is passed over: it had its fate when it first came. What was seen before is not
    decoded: that is most of the work.

    Args:
        records: in the order of their offsets.
        starts: stream id -> the offset that the stream stands at before the batch.
        settings: limits and ignore markers.
        find_known: tells what was seen; the batch's transaction decides.
    """
    items = [
        _item(record, stream) for stream, record in records if stream.forced or not stream.is_replay(record.offset)
    ]
    for item, opened in zip(items, _recognize(items, settings, find_known), strict=True):
        if not item.is_known:
            _plan(item, opened, settings)
    last = {stream.id: (stream, record) for stream, record in records}
    return Batch(items, [Advance(stream, starts[id_], record.offset + 1) for id_, (stream, record) in last.items()])


def _recognize(items: Sequence[Item], settings: Settings, find_known: FindKnown) -> list[Opened | None]:
    """Find what was seen before, and open the rest.

    A record of which every byte came before, with an event that took effect, need not even be opened. Any other has to
    keep its schema: an id says nothing of what is no event, which is a dead letter whatever came before it (SEMANTICS
    section 3).
    """
    for item in items:
        name = None if item.is_replay else glimpse_name(item.record.value, item.record.headers)
        item.digest = digest_of(*name) if name else None
    guesses = {item.digest for item in items if item.digest is not None}
    known = find_known(guesses)
    for item in items:
        fingerprint = known.get(item.digest) if item.digest is not None else None
        item.is_known = fingerprint is not None and fingerprint == item.record.fingerprint
    opened = [None if item.is_known else _open(item, settings) for item in items]
    asked = [(item, one) for item, one in zip(items, opened, strict=True) if one is not None and not item.is_replay]
    missed = {item.digest for item, _ in asked if item.digest is not None} - guesses
    known |= find_known(missed) if missed else {}
    for item, one in asked:
        item.is_known = item.digest in known and _keeps_schema(one)
    return opened


def _keeps_schema(opened: Opened) -> bool:
    try:
        return keeps_schema(opened)
    except Exception:  # noqa: BLE001  # who decodes it will say what it is
        return False


def retry_batch(due: Sequence[ParkedEvent], streams: Mapping[int, Stream], settings: Settings) -> Batch:
    """Make a batch of parked events that are due: it moves no offset, but is fenced like any other.

    Args:
        due: in their order.
        streams: the worker's streams by id.
        settings: limits and ignore markers.
    """
    items = [prepare(event.record, streams[event.stream_id], settings, event) for event in due]
    touched = {item.stream.id: item.stream for item in items}
    return Batch(items, [Advance(stream, stream.next_offset, stream.next_offset) for stream in touched.values()])
