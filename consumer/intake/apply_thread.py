"""The apply thread: one batch in flight, tried again for as long as the world is at fault."""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import Future
from enum import Enum, auto
from typing import TYPE_CHECKING

import psycopg2
from psycopg2.errors import QueryCanceled
from sqlalchemy.exc import SQLAlchemyError

from consumer.errors import Fenced, WorldError, first_line
from consumer.intake.backoff import pause_seconds
from consumer.store import streams
from consumer.store.database import transaction
from consumer.store.migrating import blaming_schema
from consumer.store.stuck import end_stuck_copies

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.intake.applying import Applier
    from consumer.intake.batch import Batch
    from consumer.settings import Settings

log = logging.getLogger(__name__)


class Applied(Enum):
    """How a batch ended."""

    COMMITTED = auto()
    FENCED = auto()
    ABANDONED = auto()


class ApplyThread:
    """Applies batches beside the main thread, so that the next one is decoded while PostgreSQL works.

    Args:
        applier: applies one batch in one transaction.
        engine: PostgreSQL, to look up what became of a COMMIT whose answer was lost.
        settings: pauses between attempts.
    """

    def __init__(self, applier: Applier, engine: Engine, settings: Settings) -> None:
        self._applier = applier
        self._engine = engine
        self._settings = settings
        self._work: queue.SimpleQueue[tuple[Batch, Future[Applied]]] = queue.SimpleQueue()
        self._abandon = threading.Event()
        self._thread = threading.Thread(target=self._run, name="apply", daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> Future[Applied]:
        """Start to apply a batch; the one before must have ended."""
        future: Future[Applied] = Future()
        self._work.put((batch, future))
        return future

    def abandon(self) -> None:
        """Stop trying: the batch in flight ends as ``ABANDONED`` at its next failure, and so do later ones."""
        self._abandon.set()

    def resume(self) -> None:
        """Take back ``abandon``."""
        self._abandon.clear()

    def _run(self) -> None:
        while True:
            batch, future = self._work.get()
            try:
                future.set_result(self._apply(batch))
            except BaseException as error:  # noqa: BLE001  # the main thread must hear of everything
                future.set_exception(error)

    def _apply(self, batch: Batch) -> Applied:
        attempt = 0
        while True:
            try:
                return self._try(batch, is_first=attempt == 0)
            except (WorldError, psycopg2.Error, SQLAlchemyError) as error:
                attempt += 1
                pause = pause_seconds(self._settings, attempt)
                reason = first_line(error)
                log.warning("batch is tried again in %.1f s (attempt %d failed): %s", pause, attempt, reason)
                if isinstance(error, QueryCanceled):
                    # The rows may be held by a session of this very worker whose connection has broken.
                    end_stuck_copies(self._engine, self._settings.statement_timeout_seconds)
                if self._abandon.wait(pause):
                    return Applied.ABANDONED

    def _try(self, batch: Batch, *, is_first: bool) -> Applied:
        try:
            with blaming_schema(self._engine):
                self._applier.apply(batch)
        except Fenced as fenced:
            # After a lost answer to COMMIT the offsets may have moved by this very batch.
            if is_first or not self._was_committed(batch):
                log.warning("batch is dropped: %s", fenced)
                return Applied.FENCED
        return Applied.COMMITTED

    def _was_committed(self, batch: Batch) -> bool:
        """Whether every stream stands under our epoch where this batch moves it; then takes over what it reads."""
        with transaction(self._engine) as cursor:
            found = [(advance, streams.reread(cursor, advance.stream)[1]) for advance in batch.advances]
        if any(s.epoch != a.stream.epoch or s.next_offset != a.next_offset for a, s in found):
            return False
        for advance, stream in found:
            advance.stream.next_offset, advance.stream.next_seq = stream.next_offset, stream.next_seq
        return True
