"""What the readers share: documents, rows of named statements, times, people, and cursors of pages."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from consumer.errors import UsageError
from consumer.store.database import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

Document = dict[str, Any]
"""A JSON object."""

AnyRow = Row[*tuple[Any, ...]]
"""A row of a named statement."""

MAX_PAGE = 100
"""Items of a page, at most (SEMANTICS section 8)."""

MAX_ID = 2**63 - 1


def rows(connection: Connection, statement: str, **parameters: object) -> Sequence[AnyRow]:
    """The rows of the statement in ``store/sql/<statement>.sql``."""
    return connection.exec_driver_sql(sql(statement), parameters).all()


def rfc3339(instant: datetime) -> str:
    """A time in UTC with ``Z``; microseconds only where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def person(name: str | None, email: str | None) -> Document | None:
    """An author or actor; ``None`` where nothing is known of them."""
    return None if name is None and email is None else {"name": name, "email": email}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place in a list, newest first, that the next page goes on from: time and id of the last item seen."""

    time: datetime
    id: int

    def encode(self) -> str:
        """The cursor as people pass it on: opaque, safe in URLs."""
        text = f"{self.time.astimezone(UTC).isoformat()}|{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Read what ``encode`` made.

        Raises:
            UsageError: it is not one.
        """
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            time, _, id_ = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition("|")
            cursor = cls(datetime.fromisoformat(time), int(id_))
        except (ValueError, binascii.Error):
            cursor = None
        if cursor is None or cursor.encode() != text or not 0 <= cursor.id <= MAX_ID:
            message = f"cursor {text!r} does not come from a list; pass nextCursor unchanged, or leave --cursor out"
            raise UsageError(message)
        return cursor


def page_size(limit: int) -> int:
    """Check the number of items asked for.

    Raises:
        UsageError: it is not 1 to ``MAX_PAGE``.
    """
    if not 1 <= limit <= MAX_PAGE:
        message = f"limit {limit} is out of range; pages have 1 to {MAX_PAGE} items"
        raise UsageError(message)
    return limit


def next_cursor(page: Sequence[AnyRow], limit: int, time_column: str) -> str | None:
    """The cursor after ``limit`` rows, of a page that was asked for with one more to see whether there is more."""
    if len(page) <= limit:
        return None
    last = page[limit - 1]
    return Cursor(getattr(last, time_column), last.id).encode()
