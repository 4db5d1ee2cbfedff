"""Parked events as people and programs read them: what waits, why, and what it waits behind (DESIGN section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.contracts import describe
from consumer.contracts.records import headers_from_json
from consumer.contracts.timestamps import format_timestamp
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import Document, page_size, rows
from consumer.store.reading.records import to_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow


def list_parked(
    connection: Connection,
    *,
    key: str | None = None,
    event_type: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Document:
    """A page of the events that wait, in the order in which they were parked.

    The type of an event is not kept beside it: a page of one type may take several statements.

    Args:
        connection: any.
        key: only events of this key, such as ``acme:1.0``.
        event_type: only events of this type.
        limit: events of the page, 1 to 100.
        cursor: ``nextCursor`` of the page before.

    Returns:
        ``{"parked": [...], "nextCursor": ...}``; the cursor is ``None`` on the last page. ``behind`` is the id of
        the event of the same key that must be applied before; ``None`` for the first, the only one that is tried.

    Raises:
        UsageError: the limit is out of range, or the cursor is broken or of another listing.
    """
    listing = ("parked events", key, event_type)
    (after,) = decode_cursor(listing, cursor) if cursor is not None else (0,)
    limit = page_size(limit)
    page: list[Document] = []
    while len(page) <= limit:
        found = rows(connection, "read_parked_page", key=key, after=after, limit=limit + 1)
        events = map(_document, found)
        page += [event for event in events if event_type is None or event["eventType"] == event_type]
        if len(found) <= limit:
            break
        after = found[-1].id
    more = len(page) > limit
    return {
        "parked": page[:limit],
        "nextCursor": encode_cursor(listing, (page[limit - 1]["id"],)) if more else None,
    }


def _document(event: AnyRow) -> Document:
    key, key_encoding = to_text(event.record_key)
    return {
        "id": event.id,
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "key": key,
        "keyEncoding": key_encoding,
        "eventKey": event.event_key,
        "eventType": type_of(event),
        "reason": event.reason,
        "attempts": event.attempts,
        "nextAttemptAt": format_timestamp(event.next_attempt_at),
        "arrivedAt": format_timestamp(event.arrived_at),
        "waitingSince": format_timestamp(event.parked_at),
        "behind": event.behind,
        "deadLetter": event.dead_letter_id,
    }


def type_of(event: AnyRow) -> str | None:
    """The type of an event that is kept as a record; ``None`` where it cannot be told."""
    value = None if event.value is None else bytes(event.value)
    return describe(value, headers_from_json(event.headers)).type
