"""Snowflake ids: 53 bits, ordered by time, from Redis, else from PostgreSQL (SEMANTICS section 9)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import psycopg2.errors
import redis

from consumer.errors import MaxSnowflakeRetryError, first_line
from consumer.ids.breaker import CircuitBreaker
from consumer.ids.sequence import get_sequence_value_from_redis

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from consumer.ids.layout import Layout

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5

T = TypeVar("T")


class SnowflakeIds:
    """Hands out snowflake ids that no process ever gets twice; for use by one thread.

    Redis gives them as long as it answers. While it is down, slow, or has lost its counters, the fallback gives
    them; after a failure Redis is left alone for the pause of the breaker.

    Args:
        client: time-outs are the client's (``connect_redis``).
        fallback: gives ids of the same layout that Redis never gives, such as ``PostgresFallback``.
        layout: layout of the ids.
        region: number of the region that this process belongs to.
        breaker: to share with others that use the same Redis; holds the clock.

    Raises:
        ValueError: the region does not fit the layout or is reserved.
    """

    def __init__(
        self,
        client: redis.Redis,
        fallback: Callable[[int], list[int]],
        layout: Layout,
        region: int,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        layout.validate_region(region)
        self._client = client
        self._fallback = fallback
        self._layout = layout
        self._region = region
        self._breaker = breaker or CircuitBreaker()

    def take(self, count: int) -> list[int]:
        """Take ``count`` new ids, ascending, in one round trip to Redis.

        Raises:
            NoAvailableId: the layout has none left for now (``UPSTREAM``: 16 a second, 300 s back).
            Exception: whatever the fallback raises, where Redis gave too few.
        """
        ids = self._from_redis(count) if count else []
        if len(ids) < count:
            ids = sorted(ids + self._fallback(count - len(ids)))
        return ids

    def _from_redis(self, count: int) -> list[int]:
        if self._breaker.is_open:
            return []
        try:
            ids = generate_snowflake_ids(self._client, self._layout, self._region, count)
        except redis.RedisError as error:
            self._breaker.record_failure(error)
            return []
        self._breaker.record_success()
        return ids


def generate_snowflake_ids(client: redis.Redis, layout: Layout, region: int, count: int) -> list[int]:
    """Make up to ``count`` ids, ascending, from Redis alone, in one round trip.

    Returns:
        Fewer than asked for, or none, while Redis waits for a second that cannot have been used before.

    Raises:
        NoAvailableId: the window of the layout is used up.
        redis.RedisError: Redis is down, slow, or refuses.
    """
    ids: list[int] = []
    for taken in get_sequence_value_from_redis(client, layout, region, count):
        first = layout.compose(seconds=taken.second, region=region, sequence=taken.first)
        ids.extend(range(first, first + taken.count))
    return ids


def save_with_snowflake_id(save: Callable[[], T], tables: Collection[str]) -> T:
    """Save something under new ids; where a row has one of them already, try again with others.

    Args:
        save: takes new ids and saves under them, in a transaction of its own, which a failure rolls back.
        tables: those whose primary key is such an id; that of another table tells of something else.

    Returns:
        What ``save`` returned.

    Raises:
        MaxSnowflakeRetryError: five attempts in a row met an id that is taken.
        Exception: any other error of ``save``, at once and as it is (SEMANTICS section 9).
    """
    taken = ""
    for _ in range(MAX_ATTEMPTS):
        try:
            return save()
        except psycopg2.errors.UniqueViolation as error:
            if not _is_id_collision(error, tables):
                raise
            taken = first_line(error)
            log.info("an id is taken already, others are tried: %s", taken)
    message = f"{MAX_ATTEMPTS} new ids in a row are taken already: {taken}"
    raise MaxSnowflakeRetryError(message)


def _is_id_collision(error: psycopg2.errors.UniqueViolation, tables: Collection[str]) -> bool:
    """Whether it is about a primary key of one of the tables."""
    table = error.diag.table_name
    return table in tables and error.diag.constraint_name == f"{table}_pkey"
