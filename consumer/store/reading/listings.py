"""Which releases a page of a listing has, in which order (SEMANTICS section 8).

A page is found by its keys alone, which indexes hold; what is shown of its releases is read afterwards, by id. A page
of all statuses is merged from a page of each.

A page of a query is looked for in a window of the listing first: many that match fill it. Where it is not filled, few
match, or all of them far away. Few are all read, by version, and sorted. Of many, the listing is gone through in its
order, and what does not match is passed over inside the index, which takes some tens of nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg2.extensions import AsIs

from consumer.codes import ReleaseStatus
from consumer.store.listing_keys import ABOVE_ALL, above_start, folded_version
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection


StatusFilter = Literal["open", "archived", "all"]
Sort = Literal["date", "semver"]

WINDOW = 5000
"""Places of a listing that are looked through for what matches a query."""

FEW = 120_000
"""Releases that match a query, at most, where all of them are read and sorted: a million by one more digit."""

_STATUSES: dict[StatusFilter, tuple[ReleaseStatus, ...]] = {
    "open": (ReleaseStatus.OPEN,),
    "archived": (ReleaseStatus.ARCHIVED,),
    "all": tuple(ReleaseStatus),
}


_KEYS: dict[Sort, tuple[str, str]] = {"date": ("listed_at", "infinity"), "semver": ("precedence", ABOVE_ALL)}
"""The column that listings are sorted by, and a value above all; where it is equal, the id decides."""


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
        """The ids of a page, by one statement a status, with a query by at most three.

        Args:
            connection: in a REPEATABLE READ transaction.
            limit: releases of the page.
            cursor: of the page before.
            ids: of all that the listing names: ``project_id``, ``environment_id``.

        Raises:
            UsageError: the cursor is broken, or of another listing.
        """
        key, top = _KEYS[self.sort]
        query = folded_version(self.query or "")
        after = (top, MAX_ID) if cursor is None else decode_cursor(self._identity, cursor)
        parameters = (
            ids
            | _membership(ids["environment_id"])
            | {
                "key": AsIs(key),
                "query": query,
                "above_query": above_start(query),
                "after_key": after[0],
                "after_id": after[1],
                "window": WINDOW,
                "few": FEW,
                "limit": limit + 1,
            }
        )
        # An index has the order already: not to sort keeps the planner to it, however few rows it expects.
        connection.exec_driver_sql("SET LOCAL enable_sort = off; SET LOCAL jit = off")
        found: list[tuple[Any, int]] = []
        for status in _STATUSES[self.status]:
            found += self._found(connection, parameters | {"status": status.value})
        connection.exec_driver_sql("SET LOCAL enable_sort = DEFAULT; SET LOCAL jit = DEFAULT")
        found.sort(reverse=True)
        more = len(found) > limit
        return Found(
            [id_ for _, id_ in found[:limit]],
            encode_cursor(self._identity, found[limit - 1]) if more else None,
        )

    def _found(self, connection: Connection, parameters: dict[str, Any]) -> list[tuple[Any, int]]:
        """The first releases after the cursor, of one status: sort key and id."""
        statement = "read_ids"
        if self.query:
            near = rows(connection, "read_ids_near", **parameters)
            if len(near) == parameters["limit"]:
                return [(key, id_) for id_, key in near]
            ((matching,),) = rows(connection, "count_matching", **parameters)
            if matching <= FEW:
                statement = "read_ids_of_few"
        return [(key, id_) for id_, key in rows(connection, statement, **parameters)]

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
