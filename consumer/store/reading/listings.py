"""Which releases a page of a listing has, in which order (SEMANTICS section 8).

A page is found by its keys alone, which indexes hold; what is shown of its releases is read afterwards, by id. A page
of all statuses is merged from a page of each.

What a query matches is looked for in a window of the listing first: many that match fill it. Where it is not filled,
few match, or all of them far away. What matches is a range of the index of versions: few are read at once, and sorted.

Of many, by version, a page is merged from a page of each stem, wherever these are. That is all for a query that says
the package and no more than numbers.

By date, of many stems, or where the query says more than numbers, the page that the first that match would make ends at
a floor, and no page reaches below it: the next look goes on from there, and passes over all that is below the floor.
Where looks come to no end, because those read first are not like the rest, the listing is gone through in its order,
down to the floor.

What is passed over is passed over inside an index, which takes some tens of nanoseconds. Looks pass over what matches,
each once; who goes through the listing passes over what does not: together that is the listing, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from psycopg2.extensions import AsIs

from consumer.codes import ReleaseStatus
from consumer.store.listing_keys import ABOVE_ALL, JUST_ABOVE, above_start, folded_version, ranges
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, MIN_ID, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.store.listing_keys import Ranges


StatusFilter = Literal["open", "archived", "all"]
Sort = Literal["date", "semver"]

WINDOW = 5000
"""Places of a listing that are looked through for what matches a query."""

STEMS = 100
"""Stems, at most, that a page in the order of versions is merged from."""

FEW = 3000
"""Releases that one look at what matches a query reads and sorts, at most."""

LOOKS = 3
"""Looks at what matches, at most. Each reaches thirty times as far as the one before, if all that matches is alike: the
third, over millions."""

_Places = list[tuple[Any, int]]
"""Releases by their places in a listing: sort key and id."""

_STATUSES: dict[StatusFilter, tuple[ReleaseStatus, ...]] = {
    "open": (ReleaseStatus.OPEN,),
    "archived": (ReleaseStatus.ARCHIVED,),
    "all": tuple(ReleaseStatus),
}


_KEYS: dict[Sort, tuple[str, Any, str]] = {
    "date": ("listed_at", datetime.min.replace(tzinfo=UTC), "infinity"),
    "semver": ("precedence", "", ABOVE_ALL),
}
"""The column that listings are sorted by, the least value, and one above all; where it is equal, the id
decides."""


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
        """The ids of a page, by one statement a status, with a query by at most six.

        Args:
            connection: in a REPEATABLE READ transaction.
            limit: releases of the page.
            cursor: of the page before.
            ids: of all that the listing names: ``project_id``, ``environment_id``.

        Raises:
            UsageError: the cursor is broken, or of another listing.
        """
        key, bottom, top = _KEYS[self.sort]
        query = folded_version(self.query or "")
        after = (top, MAX_ID) if cursor is None else decode_cursor(self._identity, cursor)
        parameters = (
            ids
            | _membership(ids["environment_id"])
            | _place("after", after)
            | _place("floor", (bottom, MIN_ID))
            | {
                "key": AsIs(key),
                "query": query,
                "above_query": above_start(query),
                "stems": STEMS,
                "window": WINDOW,
                "few": FEW,
                "limit": limit + 1,
            }
        )
        # An index has the order already: not to sort keeps the planner to it, however few rows it expects.
        connection.exec_driver_sql(_settings("off"))
        found: _Places = []
        for status in _STATUSES[self.status]:
            page = self._found(connection, parameters | {"status": status.value})
            found += page
            # What follows the page of one status is on no page of all.
            if len(page) > limit:
                parameters |= _place("floor", page[-1])
        connection.exec_driver_sql(_settings("DEFAULT"))
        found.sort(reverse=True)
        more = len(found) > limit
        return Found(
            [id_ for _, id_ in found[:limit]],
            encode_cursor(self._identity, found[limit - 1]) if more else None,
        )

    def _found(self, connection: Connection, parameters: dict[str, Any]) -> _Places:
        """The first releases after the cursor, of one status; those below the floor may be missing."""
        if not self.query:
            return _page(connection, "read_ids", parameters)
        near = _looked(connection, "read_ids_near", parameters)
        if len(near.page) == parameters["limit"] or not near.more:
            return near.page
        # The first look has what is above the cursor too, and costs the same wherever the cursor is.
        _, bottom, top = _KEYS[self.sort]
        whole = _place("below", (top, MAX_ID)) | _place("floor", (bottom, MIN_ID))
        first = _looked(connection, "read_ids_matching", parameters | whole | {"last_version": None})
        if not first.more:
            return first.page
        if self.sort == "semver" and (parts := ranges(folded_version(self.query))) is not None:
            stems = [stem for (stem,) in rows(connection, "read_stems", **parameters)]
            if len(stems) <= STEMS:
                return _page(connection, "read_ids_of_stems", parameters | _merged(stems, parts, parameters))
        return _found_far(connection, parameters, first)

    @property
    def _identity(self) -> tuple[str | None, ...]:
        return ("releases", self.organization, self.project, self.query, self.environment, self.status, self.sort)


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look at a part of what there is has found.

    Args:
        page: of what was seen.
        more: there is more to be seen.
        last_version: the least that was seen, folded, where it was looked at by version.
    """

    page: _Places
    more: bool
    last_version: str | None = None


def _looked(connection: Connection, statement: str, parameters: dict[str, Any]) -> _Look:
    """What a statement finds that tells whether there is more."""
    looked = rows(connection, statement, **parameters)
    page = [(row[1], row.id) for row in looked if row.id is not None]
    return _Look(page, *looked[-1][2:])


def _found_far(connection: Connection, parameters: dict[str, Any], first: _Look) -> _Places:
    """The page, where many match: by more looks than the first, else by going on."""
    below = _place("below", (parameters["after_key"], parameters["after_id"]))
    look, page = first, first.page
    for _ in range(LOOKS - 1):
        going_on = _floored(parameters, page) | below | {"last_version": look.last_version}
        look = _looked(connection, "read_ids_matching", going_on)
        page = sorted({*look.page, *page}, reverse=True)[: parameters["limit"]]  # those of the last version came twice
        if not look.more:
            return page
    return _page(connection, "read_ids", _floored(parameters, page))


def _floored(parameters: dict[str, Any], page: _Places) -> dict[str, Any]:
    """The parameters, with the floor that a full page makes, if it is higher."""
    if len(page) < parameters["limit"]:
        return parameters
    return parameters | _place("floor", max(page[-1], (parameters["floor_key"], parameters["floor_id"])))


def _settings(value: str) -> str:
    """The statements that set how to plan, up to the end of the transaction."""
    return "; ".join(f"SET LOCAL {name} = {value}" for name in ("enable_sort", "enable_incremental_sort", "jit"))


def _page(connection: Connection, statement: str, parameters: dict[str, Any]) -> _Places:
    """What a statement finds."""
    return [(key, id_) for id_, key in rows(connection, statement, **parameters)]


def _place(name: str, place: tuple[Any, ...]) -> dict[str, Any]:
    """A place in a listing, sort key and id, as parameters."""
    return {f"{name}_key": place[0], f"{name}_id": place[1]}


def _membership(environment_id: int | None) -> dict[str, AsIs]:
    """The table that says which releases a listing has, and the condition on it."""
    if environment_id is None:
        return {"membership": AsIs("release_project"), "in_environment": AsIs("TRUE")}
    condition = f"membership.environment_id = {environment_id:d}"
    return {"membership": AsIs("release_environment"), "in_environment": AsIs(condition)}


def _merged(stems: list[str], parts: Ranges, parameters: dict[str, Any]) -> dict[str, list[Any]]:
    """What a page is merged from: stems that start like the query, and ranges of its own; up to the cursor."""
    after_key, after_id = parameters["after_key"], parameters["after_id"]
    parts = [*((stem, "", ABOVE_ALL) for stem in stems), *parts]
    merged = [(stem, low, min(high, after_key), MAX_ID) for stem, low, high in parts if low < after_key]
    merged += [
        (stem, after_key, after_key + JUST_ABOVE, after_id) for stem, low, high in parts if low <= after_key < high
    ]
    return {
        "range_stems": [stem for stem, _, _, _ in merged],
        "lows": [low for _, low, _, _ in merged],
        "highs": [high for _, _, high, _ in merged],
        "high_ids": [id_ for _, _, _, id_ in merged],
    }


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a listing: the ids of its releases in their order, and the cursor of the next page."""

    ids: list[int]
    next_cursor: str | None
