"""Waiting for the services at start: bounded, and said aloud."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

import psycopg2
from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

T = TypeVar("T")

_PAUSE_SECONDS = 1.0


def wait_for(what: str, address: str, attempt: Callable[[], T], timeout_seconds: float) -> T:
    """Try until a service answers.

    Args:
        what: name of the service, for people.
        address: where it should be, without secrets.
        attempt: what to try; its result is returned.
        timeout_seconds: how long to try.

    Raises:
        ServiceUnavailable: it did not answer in time; says what was tried and the last failure.
    """
    deadline = time.monotonic() + timeout_seconds
    attempts = 0
    while True:
        attempts += 1
        try:
            return attempt()
        except (KafkaException, psycopg2.Error, SQLAlchemyError) as error:
            reason = _reason(error)
            if time.monotonic() >= deadline:
                message = (
                    f"{what} at {address} did not answer in {timeout_seconds:.0f} s"
                    f" ({attempts} attempts, the last: {reason}); start it, or correct the address"
                )
                raise ServiceUnavailable(message) from None
            if attempts == 1:
                log.warning("waiting for %s at %s, up to %.0f s: %s", what, address, timeout_seconds, reason)
            time.sleep(_PAUSE_SECONDS)


def _reason(error: Exception) -> str:
    if isinstance(error, KafkaException):
        return str(error.args[0].str())
    cause = getattr(error, "orig", None) or error
    return " ".join(str(cause).split())
