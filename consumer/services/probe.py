"""Does a service answer? One question to each, the way its clients ask it."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from consumer.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services.model import ServiceName

_ATTEMPT = 1.0  # seconds for one question
_PAUSE = 0.05  # seconds between questions


def wait_until_answers(name: ServiceName, url: str, *, timeout: float, alive: Callable[[], bool]) -> None:
    """Wait until a service answers.

    Args:
        name: which service.
        url: the value of its setting.
        timeout: seconds to wait at most.
        alive: whether waiting still makes sense; asked between attempts.

    Raises:
        ServiceUnavailable: it does not answer in time, or ``alive`` says no; the message gives the last refusal.
    """
    deadline = time.monotonic() + timeout
    while (refusal := refusal_of(name, url)) is not None:
        if not alive():
            msg = "ended while it started"
            raise ServiceUnavailable(msg)
        if time.monotonic() > deadline:
            msg = f"does not answer after {timeout:.0f} s ({refusal})"
            raise ServiceUnavailable(msg)
        time.sleep(_PAUSE)


def refusal_of(name: ServiceName, url: str) -> str | None:
    """Why a service does not answer, in one line; ``None`` when it does. Takes about a second at most."""
    return _QUESTIONS[name](url)


def _ask_kafka(servers: str) -> str | None:
    properties: dict[str, Any] = {
        "bootstrap.servers": servers,
        "socket.connection.setup.timeout.ms": 1000,
        "log_level": 0,  # a refused connection is an answer here, not news
        "error_cb": lambda _: None,
    }
    client = AdminClient(properties)
    try:
        client.list_topics(timeout=_ATTEMPT)
    except KafkaException as error:
        return str(error.args[0].str())
    return None


def _ask_postgresql(url: str) -> str | None:
    try:
        with closing(psycopg2.connect(url, connect_timeout=2)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error as error:
        return str(error).strip().splitlines()[0]
    return None


def _ask_redis(url: str) -> str | None:
    try:
        with redis.Redis.from_url(url, socket_timeout=_ATTEMPT, socket_connect_timeout=_ATTEMPT) as client:
            client.ping()
    except redis.RedisError as error:
        return str(error)
    return None


_QUESTIONS: dict[ServiceName, Callable[[str], str | None]] = {
    "kafka": _ask_kafka,
    "postgresql": _ask_postgresql,
    "redis": _ask_redis,
}
