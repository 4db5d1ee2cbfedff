"""Much work in bounded parts: each part is a transaction of its own, short and of few bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EVENTS = 500
_BYTES = 32 * 1024 * 1024


def chunks(events: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Ids in their order, so many at once as one transaction should take; a single event may be larger.

    Args:
        events: ids with the sizes of their records, in bytes.
    """
    chunk: list[int] = []
    size = 0
    for id_, bytes_ in events:
        if chunk and (len(chunk) == _EVENTS or size + bytes_ > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(id_)
        size += bytes_
    if chunk:
        yield chunk
