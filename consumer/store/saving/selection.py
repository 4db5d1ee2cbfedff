"""Which rows of a working set are new, and which were changed."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar

from consumer.store.rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

R = TypeVar("R", bound=Row)


def new(rows: Mapping[Any, R]) -> list[R]:
    """Rows that the batch creates, in the order of their natural keys: two batches may make the same rows."""
    return [row for _, row in sorted([item for item in rows.items() if not item[1].stored], key=itemgetter(0))]


def new_in_each(parts: Mapping[int, Mapping[str, R]]) -> list[R]:
    """``new`` rows of what is kept by the id of the row it belongs to."""
    return [row for id_ in sorted(parts) for row in new(parts[id_])]


def changed(rows: Iterable[R]) -> list[R]:
    """Stored rows to update, in the order of ids, so that two batches never wait for each other in a circle."""
    return sorted([row for row in rows if row.stored and row.changed], key=lambda row: row.id)
