"""What the readers share: documents, rows of named statements, times, people, and sizes of pages."""

from __future__ import annotations

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
MIN_ID = -(2**63)


def rows(connection: Connection, statement: str, **parameters: object) -> Sequence[AnyRow]:
    """The rows of the statement in ``store/sql/<statement>.sql``."""
    return connection.exec_driver_sql(sql(statement), parameters).all()


def person(name: str | None, email: str | None) -> Document | None:
    """An author or actor; ``None`` where nothing is known of them."""
    return None if name is None and email is None else {"name": name, "email": email}


def page_size(limit: int) -> int:
    """Check the number of items asked for.

    Raises:
        UsageError: it is not 1 to ``MAX_PAGE``.
    """
    if not 1 <= limit <= MAX_PAGE:
        message = f"limit {limit} is out of range; pages have 1 to {MAX_PAGE} items"
        raise UsageError(message)
    return limit
