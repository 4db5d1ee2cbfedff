"""The Redis locks of releases, which spare contention; the row lock in PostgreSQL is the truth (SEMANTICS 4.3)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import redis

from consumer.ids.breaker import CircuitBreaker
from consumer.ids.scripts import lua

if TYPE_CHECKING:
    from collections.abc import Sequence


def release_lock_key(organization_id: int, release_id: int) -> str:
    """The Redis key that guards the commits of a release."""
    return f"releasecommits:{organization_id}:{release_id}"


class ReleaseLocks:
    """Locks of many releases, taken and given back together; for use by one thread.

    Every lock holds a random token of this object, so that only it gives the lock back.

    Args:
        client: time-outs are the client's (``connect_redis``).
        seconds: life of a lock whose owner dies.
        breaker: to share with others that use the same Redis.
    """

    def __init__(self, client: redis.Redis, seconds: float, breaker: CircuitBreaker | None = None) -> None:
        self._client = client
        self._milliseconds = max(1, round(seconds * 1000))
        self._breaker = breaker or CircuitBreaker()
        self._token = secrets.token_hex(16)
        self._asked: set[str] = set()

    def acquire(self, keys: Sequence[str]) -> set[str]:
        """Take all locks that are free, in one round trip; one that is ours already lives on for its full life.

        Returns:
            The keys that another holds. Empty while Redis is down: the work goes on without locks.
        """
        if not keys or self._breaker.is_open:
            return set()
        self._asked.update(keys)
        try:
            positions = self._client.register_script(lua("acquire_locks"))(keys, [self._token, self._milliseconds])
        except redis.RedisError as error:
            self._breaker.record_failure(error)
            return set()
        self._breaker.record_success()
        return {keys[position - 1] for position in positions}

    def release(self) -> None:
        """Give back, in one round trip, the locks that are still ours; never raises.

        While Redis is down they are left to expire.
        """
        keys, self._asked = sorted(self._asked), set()
        if not keys or self._breaker.is_open:
            return
        try:
            self._client.register_script(lua("release_locks"))(keys, [self._token])
        except redis.RedisError as error:
            self._breaker.record_failure(error)
