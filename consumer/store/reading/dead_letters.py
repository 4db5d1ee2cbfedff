"""Dead letters as people and programs read them: the record as it came in, and what is wrong with it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from consumer.errors import UsageError
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, Document, page_size, rfc3339, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow

_FIRST = ("infinity", MAX_ID)
"""The place before all others."""


def list_dead_letters(
    connection: Connection,
    *,
    reason: str | None = None,
    event_type: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Document:
    """A page of dead letters, newest first, in one statement.

    Args:
        connection: any.
        reason: only those with this reason, such as ``schema``.
        event_type: only those of events of this type.
        limit: dead letters of the page, 1 to 100.
        cursor: ``nextCursor`` of the page before.

    Returns:
        ``{"deadLetters": [...], "nextCursor": ...}``; the cursor is ``None`` on the last page.

    Raises:
        UsageError: the limit is out of range, or the cursor is broken or of another listing.
    """
    listing = ("dead letters", reason, event_type)
    after = decode_cursor(listing, cursor) if cursor is not None else _FIRST
    limit = page_size(limit)
    page = _page(connection, limit + 1, after, reason=reason, event_type=event_type)
    last = page[limit - 1] if len(page) > limit else None
    return {
        "deadLetters": [_document(dead_letter) for dead_letter in page[:limit]],
        "nextCursor": last and encode_cursor(listing, (last.dead_at, last.id)),
    }


def show_dead_letter(connection: Connection, dead_letter_id: int) -> Document:
    """One dead letter.

    Raises:
        UsageError: there is none with this id.
    """
    found = _page(connection, limit=1, id=dead_letter_id) if 0 <= dead_letter_id <= MAX_ID else ()
    if not found:
        message = f"there is no dead letter {dead_letter_id}; see `release-consumer dead-letters list`"
        raise UsageError(message)
    return _document(found[0])


def _page(
    connection: Connection, limit: int, after: tuple[Any, ...] = _FIRST, **filters: str | int | None
) -> Sequence[AnyRow]:
    parameters = {"id": None, "reason": None, "event_type": None} | filters
    return rows(connection, "read_dead_letter_page", **parameters, after=after, limit=limit)


def _document(dead_letter: AnyRow) -> Document:
    return {
        "id": dead_letter.id,
        "topic": dead_letter.topic,
        "partition": dead_letter.partition,
        "offset": dead_letter.offset,
        "key": _text(dead_letter.record_key),
        "headers": [[name, _text(value and base64.b64decode(value))] for name, value in dead_letter.headers],
        "value": _text(dead_letter.value),
        "reason": dead_letter.reason,
        "errors": dead_letter.errors,
        "eventType": dead_letter.event_type,
        "deadAt": rfc3339(dead_letter.dead_at),
    }


def _text(value: memoryview | bytes | str | None) -> str | None:
    """Bytes as text where they are UTF-8, else in base64."""
    if not value:
        return None if value is None else ""
    content = bytes(value) if not isinstance(value, str) else value.encode()
    try:
        return content.decode()
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()
