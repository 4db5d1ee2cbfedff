"""Connections to Redis: one way to make a client that never waits long."""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from consumer.errors import SettingsError

HEALTH_CHECK_SECONDS = 15


def connect_redis(redis_url: str, *, timeout_seconds: float) -> redis.Redis:
    """Make a Redis client; no connection is opened yet.

    A command fails with ``redis.RedisError`` after at most two attempts, each bounded by the time-out: the second
    one is for a kept connection whose server was restarted since.

    Args:
        redis_url: ``redis://host:port/db``, ``rediss://`` or ``unix://``.
        timeout_seconds: for connecting, and for the answer to one command.

    Raises:
        SettingsError: the URL does not parse.
    """
    try:
        return redis.Redis.from_url(
            redis_url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            health_check_interval=HEALTH_CHECK_SECONDS,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )
    except ValueError:
        message = "RELEASE_CONSUMER_REDIS_URL does not parse; write redis://host:port/db"
        raise SettingsError(message) from None
