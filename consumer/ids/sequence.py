"""Sequence values of snowflake ids from Redis, whose clock is the one of all processes (SEMANTICS section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.errors import NoAvailableId
from consumer.ids.layout import EPOCH, Layout
from consumer.ids.scripts import lua

if TYPE_CHECKING:
    import redis

WINDOW_SECONDS = 300
"""How far back unused sequence values of earlier seconds are taken; older counters expire."""


@dataclass(frozen=True, slots=True)
class SequenceRange:
    """Sequence values ``first`` to ``first + count - 1`` of one second since the epoch."""

    second: int
    first: int
    count: int


def get_sequence_value_from_redis(
    client: redis.Redis, layout: Layout, region: int, count: int = 1
) -> list[SequenceRange]:
    """Take ``count`` sequence values, which nobody else gets, in one round trip.

    A second that is used up is followed by the one before it, up to ``WINDOW_SECONDS`` back. Where Redis has lost
    its counters (flushed, restarted, clock set back), seconds that may have been used before are left out for good.

    Returns:
        Ranges in the order of time; fewer values than asked for, or none, while Redis waits for a second that
        cannot have been used before.

    Raises:
        NoAvailableId: the whole window is used up; nothing was taken.
        redis.RedisError: Redis is down, slow, or refuses; values that it took meanwhile are skipped for good.
    """
    numbers = incr(client, f"snowflake:{layout.name}:{region}", count, layout.sequence.capacity)
    if numbers is None:
        msg = "No available ID"
        raise NoAvailableId(msg)
    ranges = [SequenceRange(*numbers[i : i + 3]) for i in range(0, len(numbers), 3)]
    return sorted(ranges, key=lambda taken: taken.second)


def incr(client: redis.Redis, key: str, count: int, capacity: int) -> list[int] | None:
    """Increment the counters under ``key`` by ``count`` in all, each to at most ``capacity``; old ones expire.

    Returns:
        Flat triples of second, first value and how many; ``None`` when the window is used up.

    Raises:
        redis.RedisError: Redis is down, slow, or refuses.
    """
    script = client.register_script(lua("take_sequence"))
    result: list[int] | None = script(keys=[key], args=[count, capacity, WINDOW_SECONDS, EPOCH])
    return result
