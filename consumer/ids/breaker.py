"""A circuit breaker: leaves a failing Redis alone for a while, so that its time-outs do not add up."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 3.0


class CircuitBreaker:
    """Tells whether Redis should be asked; one may be shared by all that use the same server.

    The first failure and the recovery after it are logged, not what lies between.

    Args:
        pause_seconds: how long Redis is left alone after a failure.
        clock: monotonic seconds.
    """

    def __init__(self, pause_seconds: float = PAUSE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._retry_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether Redis is to be left alone now."""
        return self._retry_at is not None and self._clock() < self._retry_at

    def record_failure(self, error: Exception) -> None:
        """Redis failed: leave it alone for the pause."""
        if self._retry_at is None:
            logger.warning("Redis does not answer, going on without it: %s", error)
        self._retry_at = self._clock() + self._pause_seconds

    def record_success(self) -> None:
        """Redis answered."""
        if self._retry_at is not None:
            logger.info("Redis answers again")
        self._retry_at = None
