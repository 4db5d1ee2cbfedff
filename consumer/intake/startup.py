"""Waiting for the services at start: bounded, and said aloud."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

import psycopg2
from confluent_kafka import KafkaError, KafkaException
from sqlalchemy.exc import InterfaceError, OperationalError

from consumer.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

T = TypeVar("T")

_PAUSE_SECONDS = 1.0
_REMEDY = "start it (`release-consumer stack up`), or correct its setting"

# What Kafka or its client says while Kafka starts, or is not there. Anything else it says again, however long we wait.
_AWAY = frozenset(
    {
        KafkaError._TRANSPORT,  # noqa: SLF001  # their public names
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.KAFKA_STORAGE_ERROR,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.NOT_CONTROLLER,
        KafkaError.NOT_COORDINATOR,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN,
    }
)

_DATABASE_AWAY = (psycopg2.OperationalError, psycopg2.InterfaceError, OperationalError, InterfaceError)


def wait_for(what: str, address: str, attempt: Callable[[], T], timeout_seconds: float) -> T:
    """Try until a service answers.

    Args:
        what: name of the service, for people.
        address: where it should be, without secrets.
        attempt: what to try; its result is returned.
        timeout_seconds: how long to try.

    Raises:
        ServiceUnavailable: it did not answer in time; says what was tried and the last failure.
        KafkaException, psycopg2.Error, SQLAlchemyError: the service answered and refuses: waiting would not help.
    """
    deadline = time.monotonic() + timeout_seconds
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt()
        except (KafkaException, *_DATABASE_AWAY) as error:
            if isinstance(error, KafkaException) and not _is_away(error):
                raise
            reason = _reason(error)
            if time.monotonic() >= deadline:
                message = (
                    f"{what} at {address} did not answer in {timeout_seconds:.0f} s ({attempts} attempts, the last:"
                    f" {reason}); {_REMEDY}"
                )
                raise ServiceUnavailable(message) from None
            if attempts == 1:
                log.warning(
                    "waiting for %s at %s, up to %.0f s: %s; %s", what, address, timeout_seconds, reason, _REMEDY
                )
            time.sleep(_PAUSE_SECONDS)


def _is_away(error: KafkaException) -> bool:
    cause = error.args[0]
    return cause.retriable() or cause.code() in _AWAY


def _reason(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())
