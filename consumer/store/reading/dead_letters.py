"""Dead letters as people and programs read them: the record as it came in, what is wrong, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.codes import DeadLetterStatus
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import UsageError
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, Document, page_size, rows
from consumer.store.reading.records import envelope_document, record_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow

OPEN = (DeadLetterStatus.DEAD, DeadLetterStatus.REPLAYING)
"""Those that somebody must still see to."""

_FIRST = ("infinity", MAX_ID)
"""The place before all others."""


def list_dead_letters(
    connection: Connection,
    *,
    reason: str | None = None,
    event_type: str | None = None,
    statuses: Sequence[DeadLetterStatus] = OPEN,
    limit: int = 100,
    cursor: str | None = None,
) -> Document:
    """A page of dead letters, newest first, in one statement that reads a range of an index for each status.

    Args:
        connection: any.
        reason: only those with this reason, such as ``schema``.
        event_type: only those of events of this type.
        statuses: only those that this became of.
        limit: dead letters of the page, 1 to 100.
        cursor: ``nextCursor`` of the page before.

    Returns:
        ``{"deadLetters": [...], "nextCursor": ...}``; the cursor is ``None`` on the last page. Values, which may be
        large, are left to ``show_dead_letter``: ``valueBytes`` is the size, ``None`` for a tombstone.

    Raises:
        UsageError: the limit is out of range, or the cursor is broken or of another listing.
    """
    listing = ("dead letters", reason, event_type, sorted(statuses))
    after = decode_cursor(listing, cursor) if cursor is not None else _FIRST
    limit = page_size(limit)
    page = rows(
        connection,
        "read_dead_letter_page",
        reason=reason,
        event_type=event_type,
        statuses=[status.value for status in statuses],
        after=after,
        limit=limit + 1,
    )
    last = page[limit - 1] if len(page) > limit else None
    return {
        "deadLetters": [
            _document(letter, envelope_document(letter) | {"valueBytes": letter.value_bytes}) for letter in page[:limit]
        ],
        "nextCursor": last and encode_cursor(listing, (last.dead_at, last.id)),
    }


def show_dead_letter(connection: Connection, dead_letter_id: int) -> Document:
    """One dead letter.

    Raises:
        UsageError: there is none with this id.
    """
    found = rows(connection, "read_dead_letter", id=dead_letter_id) if 0 <= dead_letter_id <= MAX_ID else ()
    if not found:
        raise unknown_dead_letters([dead_letter_id])
    return _document(found[0], record_document(found[0]))


def unknown_dead_letters(ids: Sequence[int]) -> UsageError:
    """The error for ids that no dead letter has."""
    named = ", ".join(map(str, ids))
    return UsageError(f"there is no dead letter {named}; see `release-consumer dead-letters list --status all`")


def _document(dead_letter: AnyRow, record: Document) -> Document:
    settled_at = dead_letter.settled_at
    return {
        "id": dead_letter.id,
        "status": DeadLetterStatus(dead_letter.status).label,
        **record,
        "reason": dead_letter.reason,
        "errors": dead_letter.errors,
        "eventType": dead_letter.event_type,
        "arrivedAt": format_timestamp(dead_letter.arrived_at),
        "deadAt": format_timestamp(dead_letter.dead_at),
        "settledAt": None if settled_at is None else format_timestamp(settled_at),
    }
