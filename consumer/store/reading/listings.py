"""Which releases a page of a listing has, in which order (SEMANTICS section 8).

A page is found by its keys alone, which indexes hold; what is shown of its releases is read afterwards, by id. A page
of all statuses is merged from a page of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from psycopg2.extensions import AsIs

from consumer.codes import ReleaseStatus
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow

StatusFilter = Literal["open", "archived", "all"]
Sort = Literal["date", "semver"]

WINDOW = 5000
"""Places of an index that are looked through for what matches, before all that matches is read and sorted."""

_STATUSES: dict[StatusFilter, tuple[ReleaseStatus, ...]] = {
    "open": (ReleaseStatus.OPEN,),
    "archived": (ReleaseStatus.ARCHIVED,),
    "all": tuple(ReleaseStatus),
}


@dataclass(frozen=True, slots=True)
class _Order:
    """An order of releases, the first the greatest.

    Args:
        columns: of the sort key; no two releases have the same.
        top: a key greater than all.
    """

    columns: tuple[str, ...]
    top: tuple[Any, ...]


_ORDERS: dict[Sort, _Order] = {
    "date": _Order(("listed_at", "id"), ("infinity", MAX_ID)),
    "semver": _Order(
        ("major", "minor", "patch", "revision", "stage", "id"), (MAX_ID, MAX_ID, MAX_ID, MAX_ID, "~~", MAX_ID)
    ),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of releases that people page through: what of, which of them, in which order.

    Args:
        organization: slug.
        project: slug.
        query: what the version starts with, in any case; every character stands for itself.
        environment: only releases that the project was seen in it with.
        status: which releases.
        sort: ``date``: newest first; ``semver``: greatest version first, what is no semantic version last.
    """

    organization: str
    project: str
    query: str | None
    environment: str | None
    status: StatusFilter
    sort: Sort

    def find(self, connection: Connection, *, limit: int, cursor: str | None, **ids: int | None) -> Found:
        """The ids of a page, by one statement a status.

        Args:
            connection: in a REPEATABLE READ transaction.
            limit: releases of the page.
            cursor: of the page before.
            ids: ``organization_id``, ``project_id`` and ``environment_id``.

        Raises:
            UsageError: the cursor is broken, or of another listing.
        """
        order = _ORDERS[self.sort]
        parameters = (
            ids
            | _membership(ids["environment_id"])
            | {
                "query": self.query,
                "after": order.top if cursor is None else decode_cursor(self._identity, cursor),
                "window": WINDOW,
                "limit": limit + 1,
            }
        )
        # To compile what is done in a moment takes longer than to do it; what is sorted should fit into memory.
        connection.exec_driver_sql("SET LOCAL jit = off; SET LOCAL work_mem = '32MB'")
        found: list[AnyRow] = []
        for status in _STATUSES[self.status]:
            found += rows(connection, self._statement, **parameters, status=status.value)
        key = attrgetter(*order.columns)
        found.sort(key=key, reverse=True)
        more = len(found) > limit
        return Found(
            [row.id for row in found[:limit]],
            encode_cursor(self._identity, key(found[limit - 1])) if more else None,
        )

    @property
    def _statement(self) -> str:
        return f"read_ids_by_{self.sort}" + ("_and_query" if self.query and self.sort == "date" else "")

    @property
    def _identity(self) -> tuple[str | None, ...]:
        return ("releases", self.organization, self.project, self.query, self.environment, self.status, self.sort)


def _membership(environment_id: int | None) -> dict[str, AsIs]:
    """The table that says which releases a listing has, and the condition on it."""
    if environment_id is None:
        return {"membership": AsIs("release_project"), "in_environment": AsIs("TRUE")}
    condition = f"membership.environment_id = {environment_id:d}"
    return {"membership": AsIs("release_environment"), "in_environment": AsIs(condition)}


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a listing: the ids of its releases in their order, and the cursor of the next page."""

    ids: list[int]
    next_cursor: str | None
