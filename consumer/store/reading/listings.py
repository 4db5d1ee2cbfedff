"""Which releases a page of a listing has, in which order (SEMANTICS section 8).

A page is found by its keys alone, which indexes hold; what is shown of its releases is read afterwards, by id. A page
of all statuses is merged from a page of each.

What matches a query lies in the index of versions by stem, and by precedence where the stem is the same: by version, a
page is merged from a page of each stem, wherever these are. That is all for a query that says the package.

By date, or where what matches has many stems, a page is looked for in a window of the listing first: many that match
fill it. Where it is not filled, few match, or all of them far away. So it is looked for among what matches, by version.
Few are read at once, and sorted. Of many, the page that the first of them would make ends at a floor, and no page
reaches below it: the next look goes on from there, and passes over all that is below the floor. Where looks come to no
end, because those read first are not like the rest, the listing is gone through in its order, down to the floor. So it
is where many match above the cursor: every look would have to pass over these too.

What is passed over is passed over inside an index, which takes some tens of nanoseconds. Looks pass over what matches,
who goes through the listing passes over what does not: together that is about the listing, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from psycopg2.extensions import AsIs

from consumer.codes import ReleaseStatus
from consumer.store.listing_keys import ABOVE_ALL, JUST_ABOVE, above_start, folded_version, ranges
from consumer.store.reading.cursors import decode_cursor, encode_cursor
from consumer.store.reading.documents import MAX_ID, MIN_ID, rows

if TYPE_CHECKING:
    from sqlalchemy import Connection


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

MANY = 50_000
"""Releases that match a query, where no further look is taken if most of them are above the cursor."""

_Places = list[tuple[Any, int]]
"""Releases by their places in a listing: sort key and id."""

_STATUSES: dict[StatusFilter, tuple[ReleaseStatus, ...]] = {
    "open": (ReleaseStatus.OPEN,),
    "archived": (ReleaseStatus.ARCHIVED,),
    "all": tuple(ReleaseStatus),
}


_KEYS: dict[Sort, tuple[str, str, str]] = {
    "date": ("listed_at", "-infinity", "infinity"),
    "semver": ("precedence", "", ABOVE_ALL),
}
"""The column that listings are sorted by, a value below all or the least, and one above all; where it is equal, the id
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
        """The ids of a page, by one statement a status, with a query by at most seven.

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
                **_matching(query),
                "stems": STEMS,
                "window": WINDOW,
                "few": FEW,
                "many": MANY,
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
        if self.sort == "semver":
            stems = [stem for (stem,) in rows(connection, "read_stems", **parameters)]
            if len(stems) <= STEMS:
                return _page(connection, "read_ids_of_stems", parameters | _merged(stems, parameters))
        near = _page(connection, "read_ids_near", parameters)
        return near if len(near) == parameters["limit"] else self._found_far(connection, parameters)

    def _found_far(self, connection: Connection, parameters: dict[str, Any]) -> _Places:
        """As ``_found``, where what matches has many stems, or the sort is by date: by looks, else by going on."""
        after = (parameters["after_key"], parameters["after_id"])
        page: _Places = []
        # The first look has what is above the cursor too, and costs the same wherever the cursor is.
        below, last_stem = (_KEYS[self.sort][2], MAX_ID), None
        for _ in range(LOOKS):
            looked = rows(connection, "read_ids_matching", **parameters, **_place("below", below), last_stem=last_stem)
            seen = {(row[1], row.id) for row in looked if row.id is not None}  # those of the last stem once more
            page = sorted(seen.union(page), reverse=True)[: parameters["limit"]]
            if not looked[0].more:
                return page
            if len(page) == parameters["limit"]:
                parameters |= _place("floor", page[-1])
            elif below == after:
                break  # nothing was learnt
            if looked[0].mostly_above and rows(connection, "count_matching", **parameters)[0].matching > MANY:
                break
            below, last_stem = after, looked[0].last_stem
        return _page(connection, "read_ids", parameters)

    @property
    def _identity(self) -> tuple[str | None, ...]:
        return ("releases", self.organization, self.project, self.query, self.environment, self.status, self.sort)


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


def _matching(query: str) -> dict[str, Any]:
    """Where releases are that match: among all versions, and where only the start of their stem is in the query."""
    parts = ranges(query)[::-1]  # greater numbers first: a look that sees the newest has the better floor
    return {
        "query": query,
        "above_query": above_start(query),
        "range_stems": [stem for stem, _, _ in parts],
        "lows": [low for _, low, _ in parts],
        "highs": [high for _, _, high in parts],
    }


def _merged(stems: list[str], parameters: dict[str, Any]) -> dict[str, list[Any]]:
    """What a page is merged from: stems that start like the query, and what it leaves of its own; up to the cursor."""
    after_key, after_id = parameters["after_key"], parameters["after_id"]
    parts = [(stem, "", ABOVE_ALL) for stem in stems]
    parts += zip(parameters["range_stems"], parameters["lows"], parameters["highs"], strict=True)
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
