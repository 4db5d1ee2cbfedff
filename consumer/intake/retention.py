"""The retention thread of a worker: what is past its time goes, beside the batches of events."""

from __future__ import annotations

import logging
import random
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import first_line
from consumer.store.retention import prune_outbox, retain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Engine

    from consumer.settings import Settings

log = logging.getLogger(__name__)

_PERIOD_SECONDS = 60.0
_BUDGET_ROWS = 500_000


class Retention:
    """Removes what is past its time, about once a minute; of all workers one at a time does.

    Args:
        engine: PostgreSQL; one connection is used at a time.
        settings: how long things are kept.
        announced: tells, by stream id, the last number that Kafka has committed of the streams this worker knows.
        period_seconds: between two turns, give or take a fifth.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        announced: Callable[[], Mapping[int, int]],
        period_seconds: float = _PERIOD_SECONDS,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._announced = announced
        self._period = period_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start the thread; its first turn comes after a part of a period, so that workers take turns."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Stop the thread after the batch under way."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause = self._period * random.uniform(0.1, 1.0)  # jitter, not a secret
        while not self._stopping.wait(pause):
            self._turn()
            pause = self._period * random.uniform(0.8, 1.2)  # jitter, not a secret

    def _turn(self) -> None:
        is_over = self._stopping.is_set
        try:
            pruned = prune_outbox(self._engine, self._announced(), _BUDGET_ROWS, is_over)
            removed = retain(self._engine, self._settings, datetime.now(UTC), _BUDGET_ROWS, is_over)
        except (psycopg2.Error, SQLAlchemyError) as error:
            log.warning("what is past its time is removed later: %s", first_line(error))
            return
        if removed.dead_letters:
            days = self._settings.dead_letter_retention_days
            log.warning("removed %d dead letters for good: they are more than %d days old", removed.dead_letters, days)
        if pruned or removed.event_ids:
            log.debug("removed %d event ids, %d outbox rows", removed.event_ids, pruned)
