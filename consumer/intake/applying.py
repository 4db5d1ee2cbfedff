"""Applying a batch: one PostgreSQL transaction that holds everything (DESIGN section 1).

Offsets, effects, event ids, announcements, parked events and dead letters commit together or not at all. The
number of statements does not depend on how many events or commits the batch holds.
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy.exc import SQLAlchemyError

from consumer import failpoints, metrics
from consumer.codes import DeadLetterStatus
from consumer.errors import (
    CannotBeApplied,
    EventError,
    MustWait,
    NotAlone,
    ReleaseCommitError,
    ReleaseConsumerError,
    StaleSnapshot,
    WorldError,
    first_line,
)
from consumer.ids.snowflake import save_with_snowflake_id
from consumer.intake.batch import complete
from consumer.intake.breaker import DeadLetterBreaker
from consumer.intake.misplaced import Misplaced
from consumer.intake.outcome import Outcome
from consumer.intake.recording import Recorder
from consumer.store import dead_letters, parking, processed_events, streams
from consumer.store.id_supply import TABLES_WITH_IDS
from consumer.store.loading import load
from consumer.store.migrating import blame_schema
from consumer.store.needs import Needs
from consumer.store.saving import save

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Engine

    from consumer.intake.batch import Batch, Item
    from consumer.settings import Settings
    from consumer.store.database import Cursor
    from consumer.store.id_supply import IdSupply
    from consumer.store.working_set import WorkingSet

log = logging.getLogger(__name__)

CONFLICTS_BEFORE_BLAME = 10
"""After so many conflicts in a row the batch itself is suspected, not another transaction."""

CONFLICTS_BEFORE_ALONE = 3
"""After so many a batch takes its organizations to itself, so that nobody can get in between again."""

MOST_REFERENCES = 5000
"""How often messages of a batch may name a group; a batch with more is applied in parts. A resolved group takes as much
memory as an event."""

_CONFLICTS = frozenset({errorcodes.UNIQUE_VIOLATION, errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE})


class Locks(Protocol):
    """Locks of releases in Redis (SEMANTICS 4.3)."""

    def acquire(self, keys: Sequence[str]) -> set[str]:
        """Take the locks; returns the keys that another holds."""

    def release(self) -> None:
        """Give back the locks taken; never raises."""


class DataError(Exception):
    """The batch, not the world, is at fault: one of its events must be found and put away."""

    def __init__(self, cause: Exception) -> None:
        is_foreseen = isinstance(cause, psycopg2.Error | EventError)
        super().__init__(str(cause).strip() if is_foreseen else repr(cause))
        self.cause = cause
        # What the database refuses is said by its message; what nobody foresaw is a bug, to be found by its traceback.
        self.log_level = logging.DEBUG if is_foreseen else logging.ERROR

    def blame(self) -> EventError:
        """What is wrong with the event at fault."""
        return self.cause if isinstance(self.cause, EventError) else CannotBeApplied(str(self))


class TooMuch(Exception):
    """The batch takes more memory than one transaction should: it must be applied in parts."""


class Applier:
    """Applies batches of one worker, one after the other.

    Args:
        engine: PostgreSQL; one connection is held while a batch is applied.
        supply: ids for new rows.
        locks: the Redis locks of releases.
        lock_key: the key of a release's lock, from organization id and release id.
        settings: limits and retry settings.
        clock: tells the time, UTC.
    """

    def __init__(
        self,
        engine: Engine,
        supply: IdSupply,
        locks: Locks,
        lock_key: Callable[[int, int], str],
        settings: Settings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._supply = supply
        self._locks = locks
        self._lock_key = lock_key
        self._settings = settings
        self._clock = clock
        self._breaker = DeadLetterBreaker(settings)
        self._misplaced = Misplaced(settings.topics)
        self.recorder = Recorder(supply, settings)

    def apply(self, batch: Batch) -> None:
        """Apply a batch; on return it is committed, and its streams stand where the database has them.

        An event that the database refuses, or that nobody foresaw, is found by halving the batch and becomes a dead
        letter. A batch that would take too much memory is applied in halves, too. Halves that are committed leave the
        batch, so that another attempt goes on behind them.

        Raises:
            Fenced: another worker or an operator moved a partition; nothing more was written.
            Halted: too many of its events would become dead letters; nothing more was written.
            WrongSchema: the schema of the database is at fault; nothing more was written.
            WorldError, psycopg2.Error, SQLAlchemyError: a service failed; the batch may be applied again.
        """
        parts = [batch]
        while parts:
            part = parts.pop()
            try:
                self._apply_until_consistent(part)
            except TooMuch:
                parts += reversed(part.halves())
                continue
            except DataError as error:
                if len(part.items) > 1:
                    parts += reversed(part.halves())
                    continue
                self._bury(part, error)
            if part is not batch:
                batch.drop(part)

    def _bury(self, batch: Batch, error: DataError) -> None:
        """Put away the only item of a batch; where there is none, the database is at fault."""
        if not batch.items:
            raise error.cause from None
        blame_schema(self._engine, error.cause)
        item = batch.items[0]
        record = item.record
        log.error("%s-%s@%s cannot be applied: %s", record.topic, record.partition, record.offset, error)
        log.log(error.log_level, "because of:", exc_info=error)
        item.error = error.blame()
        self._apply_until_consistent(batch)

    def _apply_until_consistent(self, batch: Batch) -> None:
        """Apply a batch anew while other transactions get in between, in the end with its organizations to itself."""
        alone = False
        for conflict in range(CONFLICTS_BEFORE_BLAME + 1):
            try:
                save_with_snowflake_id(partial(self._apply_once, batch, alone=alone), TABLES_WITH_IDS)
            except NotAlone:
                alone = True
            except (StaleSnapshot, psycopg2.IntegrityError, psycopg2.OperationalError) as error:
                if not _is_conflict(error):
                    raise
                if conflict == CONFLICTS_BEFORE_BLAME:
                    # A deadlock is never an event's fault: the batch is tried again after a pause.
                    if isinstance(error, psycopg2.OperationalError) or not batch.items:
                        raise
                    raise DataError(error) from error
                log.info("batch is redone, another transaction came first: %s", first_line(error))
                alone = alone or conflict + 1 >= CONFLICTS_BEFORE_ALONE
            else:
                return

    def _apply_once(self, batch: Batch, *, alone: bool) -> None:
        pooled = self._engine.raw_connection()
        try:
            with closing(pooled.cursor()) as cursor:
                outcome = self._write(cursor, batch, alone=alone)  # type: ignore[arg-type]  # the driver is psycopg2
                failpoints.reach("before-commit")
                pooled.commit()
            failpoints.reach("after-commit")
        except psycopg2.OperationalError:
            pooled.invalidate()
            raise
        except BaseException as error:
            pooled.rollback()
            if isinstance(error, Exception) and _is_about_data(error):
                raise DataError(error) from error
            raise
        finally:
            self._locks.release()
            pooled.close()
        self._note_committed(batch, outcome)

    def _write(self, cursor: Cursor, batch: Batch, *, alone: bool) -> Outcome:
        """Everything between BEGIN and COMMIT.

        A stored commit that changes may be in the log of any release, also of one that another batch is writing:
        that takes a transaction that has its organizations to itself.
        """
        now = self._clock()
        streams.advance(cursor, batch.advances)
        outcome = Outcome()
        outcome.pass_offsets(batch)
        items = self._sift(cursor, batch, outcome)
        needs = Needs(trusts_digests=not any(item.is_replay for item in items))
        for item in items:
            if item.plan is not None:
                item.plan.need(needs)
        if len(items) > 1 and needs.references > MOST_REFERENCES:
            raise TooMuch
        if alone:
            needs.organizations = dict.fromkeys(needs.organizations, True)
        with metrics.set_commits_duration(len(needs.commit_lists)):
            rows = load(cursor, needs, self._supply, now)
            self._apply_items(items, rows, outcome, _find_held_back(cursor, items))
            if rows.modified_stored_commits and not alone:
                message = "the batch changes commits that other releases may hold"
                raise NotAlone(message)
            save(cursor, rows)
        failpoints.reach("inside-transaction")
        self._breaker.check(outcome.fresh, [error for _, error in outcome.buried])
        self.recorder.record(cursor, batch, outcome, now)
        return outcome

    def _sift(self, cursor: Cursor, batch: Batch, outcome: Outcome) -> list[Item]:
        """Items in the order they apply, without those that took effect before."""
        passed = self._recognize_replays(cursor, [i for i in batch.items if i.is_replay and i.parked is None])
        digests = {item.digest for item in batch.items if item.digest is not None and not item.is_remembered}
        seen = processed_events.find_processed(cursor, digests)
        untouched = parking.find_untouched(cursor, [item.parked for item in batch.items if item.parked])
        items = []
        for item in batch.items:
            # One that an earlier attempt saw to, whose answer to COMMIT was lost, has no business here.
            if item.place in passed or (item.parked is not None and item.parked.id not in untouched):
                continue
            if item.digest in seen and not item.is_remembered:
                outcome.ignore(item)
                continue
            if item.is_known and item.error is None and item.plan is None:
                # Forgotten since it was looked up: now it must be decoded after all.
                complete(item, self._settings)
            items.append(item)
        return sorted(items, key=lambda item: not item.comes_first)

    def _recognize_replays(self, cursor: Cursor, items: Sequence[Item]) -> set[tuple[int, int]]:
        """See what forced replays bring again; returns those to pass over: they wait, or an operator discarded them."""
        places = [item.place for item in items]
        letters = dead_letters.find_letters(cursor, places)
        first = processed_events.find_places(cursor, {item.digest for item in items if item.digest is not None})
        for item in items:
            letter, status = letters.get(item.place, (None, None))
            item.dead_letter_id = letter if status is DeadLetterStatus.DEAD else None
            item.is_remembered = item.digest is not None and first.get(item.digest) == item.place
        discarded = {place for place, (_, status) in letters.items() if status is DeadLetterStatus.DISCARDED}
        return discarded | parking.find_waiting(cursor, places)

    def _held_locks(self, items: Sequence[Item], rows: WorkingSet) -> set[str]:
        """Lock the commits of the releases at hand; returns the version keys whose lock another holds."""
        keys: dict[str, str] = {}
        for item in items:
            if item.plan is None or not item.plan.sets_commits:
                continue
            release = rows.find_release(item.plan.event.key)
            if release is not None:
                keys[self._lock_key(release.organization.id, release.id)] = release.key
        return {keys[held] for held in self._locks.acquire(list(keys))} if keys else set()

    def _apply_items(
        self, items: Sequence[Item], rows: WorkingSet, outcome: Outcome, held_back: set[tuple[int, int]]
    ) -> None:
        """Apply items one after the other in memory, each to what those before it left.

        Args:
            items: in their order.
            rows: what they read and change.
            outcome: is told what became of each.
            held_back: records that must wait behind others of their keys.
        """
        held = self._held_locks(items, rows)
        blocked: set[str] = set()
        for item in items:
            rows.ordinal += 1
            rows.is_replaying = item.is_replay
            if item.digest in outcome.remembered and not item.is_remembered:
                outcome.ignore(item)
                continue
            first_fact = len(rows.facts)
            key = item.plan.event.key if item.plan else ""
            try:
                if key in blocked or (item.parked is None and item.place in held_back):
                    raise MustWait(f"waits behind an earlier event of {key}")  # noqa: EM102, TRY003, TRY301  # one of three
                self._apply_item(item, rows, held)
            except MustWait as wait:
                # Of events that waited already, only the first of a key was tried.
                if item.parked is None or key not in blocked:
                    outcome.wait(item, wait, self._settings.parking_attempts)
                blocked.add(key)
            except EventError as error:
                outcome.bury(item, error)
            else:
                outcome.apply(item, rows.facts[first_fact:])

    def _apply_item(self, item: Item, rows: WorkingSet, held: set[str]) -> None:
        if item.error is not None:
            raise item.error
        if item.plan is None:
            return
        if item.plan.sets_commits and item.plan.event.key in held:
            message = f"commits of release {item.plan.event.key} are being processed elsewhere"
            raise ReleaseCommitError(message)
        try:
            item.plan.apply(rows)
        except (EventError, MustWait, WorldError):
            raise
        except Exception as error:
            raise DataError(error) from error

    def _note_committed(self, batch: Batch, outcome: Outcome) -> None:
        for advance in batch.advances:
            advance.stream.next_offset = advance.next_offset
            advance.stream.next_seq += outcome.tallies[advance.stream.id].announcements
        self._misplaced.count(batch.items)
        self._breaker.count(outcome.fresh, len(outcome.buried))
        for tally in outcome.tallies.values():
            for fate in ("applied", "duplicate", "parked", "dead"):
                metrics.count_events(fate, getattr(tally, fate))
        if outcome.parked:
            item, wait = outcome.parked[0]
            log.info("%d events are parked (the first: %s: %s)", len(outcome.parked), item, wait)
        if outcome.buried:
            letter, error = outcome.buried[0]
            log.warning("%d events are dead letters (the first: %s: %s)", len(outcome.buried), letter, error)


def _find_held_back(cursor: Cursor, items: Sequence[Item]) -> set[tuple[int, int]]:
    """Records that must wait behind events of their keys that wait; a forced replay may bring one that came before."""
    new = [(item.plan.event.key, item) for item in items if item.plan is not None and item.parked is None]
    waiting = parking.waiting_keys(cursor, [key for key, _ in new])
    behind = [(key, item) for key, item in new if key in waiting]
    first = parking.find_first(cursor, [(key, *item.place) for key, item in behind if item.is_replay])
    return {item.place for _, item in behind} - first


def _is_about_data(error: Exception) -> bool:
    """Whether it is for what the batch holds, not for the world: it is refused, or nobody foresaw it."""
    if isinstance(error, psycopg2.DataError | psycopg2.IntegrityError):
        return not _is_conflict(error)
    if isinstance(error, EventError):
        return True
    return not isinstance(error, ReleaseConsumerError | DataError | psycopg2.Error | SQLAlchemyError)


def _is_conflict(error: Exception) -> bool:
    """Whether another transaction got in between, so that the batch is to be read and applied anew at once."""
    return isinstance(error, StaleSnapshot) or getattr(error, "pgcode", None) in _CONFLICTS
