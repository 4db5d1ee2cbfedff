"""A batch: records of some partitions, decoded and planned, that become one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.contracts import decode, describe
from consumer.contracts.events import ReleaseEvent
from consumer.errors import EventError, InvalidEvent
from consumer.handlers import Plan, plan
from consumer.store.processed_events import event_digest
from consumer.store.streams import Advance, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from consumer.contracts.records import Record
    from consumer.settings import Settings
    from consumer.store.parking import ParkedEvent


@dataclass(slots=True)
class Item:
    """One record of a batch: its plan, or the error that makes it a dead letter.

    ``parked`` is set where the record comes out of the waiting room instead of Kafka.
    """

    stream: Stream
    record: Record
    plan: Plan | None = None
    digest: UUID | None = None
    error: EventError | None = None
    event_type: str | None = None
    parked: ParkedEvent | None = None

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
        """Two batches that do the same one after the other: to find the item that the database refuses."""
        middle = len(self.items) // 2
        first, second = self.items[:middle], self.items[middle:]
        reached = {item.stream.id: item.record.offset + 1 for item in first if item.parked is None}
        firsts, seconds = [], []
        for advance in self.advances:
            between = reached.get(advance.stream.id, advance.expected)
            firsts.append(Advance(advance.stream, advance.expected, between))
            seconds.append(Advance(advance.stream, between, advance.next_offset))
        return Batch(first, firsts), Batch(second, seconds)


def prepare(record: Record, stream: Stream, settings: Settings, parked: ParkedEvent | None = None) -> Item:
    """Decode and plan a record; what is wrong with it is kept, not raised."""
    try:
        event = decode(record.value, record.headers, max_bytes=settings.max_event_bytes)
    except InvalidEvent as error:
        type_ = describe(record.value, record.headers, max_bytes=settings.max_event_bytes).type
        return Item(stream, record, error=error, event_type=type_, parked=parked)
    planned = plan(event, settings.ignore_markers)
    return Item(stream, record, planned, event_digest(event), event_type=event.type, parked=parked)


def make_batch(records: Sequence[tuple[Stream, Record]], starts: Mapping[int, int], settings: Settings) -> Batch:
    """Make a batch of records that follow on each other in each stream.

    Args:
        records: in the order of their offsets.
        starts: stream id -> the offset that the stream stands at before the batch.
        settings: limits and ignore markers.
    """
    items = [prepare(record, stream, settings) for stream, record in records]
    ends = {stream.id: Advance(stream, starts[stream.id], record.offset + 1) for stream, record in records}
    return Batch(items, list(ends.values()))


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
