"""Applying a batch: one PostgreSQL transaction that holds everything (DESIGN section 1).

Offsets, effects, event ids, announcements, parked events and dead letters commit together or not at all. The
number of statements does not depend on how many events or commits the batch holds.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import psycopg2
from psycopg2 import errorcodes

from consumer import failpoints, metrics
from consumer.errors import (
    EventError,
    MaxSnowflakeRetryError,
    MustWait,
    NotAlone,
    ReleaseCommitError,
    StaleSnapshot,
    Violation,
    WorldError,
    first_line,
)
from consumer.ids.snowflake import MAX_ATTEMPTS, is_id_collision
from consumer.store import dead_letters, outbox, parking, processed_events, streams
from consumer.store.activities import Activity, save_activities
from consumer.store.loading import load
from consumer.store.needs import Needs
from consumer.store.saving import save
from consumer.store.streams import Stream, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy import Engine

    from consumer.intake.batch import Batch, Item
    from consumer.settings import Settings
    from consumer.store.database import Cursor
    from consumer.store.id_supply import IdSupply
    from consumer.store.working_set import Fact, WorkingSet

log = logging.getLogger(__name__)

CONFLICTS_BEFORE_BLAME = 10
"""After so many conflicts in a row the batch itself is suspected, not another transaction."""

CONFLICTS_BEFORE_ALONE = 3
"""After so many a batch takes its organizations to itself, so that nobody can get in between again."""

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
        super().__init__(str(cause).strip())


@dataclass(slots=True)
class _Outcome:
    """What becomes of the items of a batch, gathered while they are applied in memory."""

    tallies: dict[int, tuple[Stream, Tally]]
    facts: list[tuple[Stream, Fact]] = field(default_factory=list)
    dead: list[tuple[Item, EventError]] = field(default_factory=list)
    parked: list[tuple[Item, str]] = field(default_factory=list)
    postponed: list[tuple[Item, str]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    remembered: dict[UUID, None] = field(default_factory=dict)
    forgotten: list[UUID] = field(default_factory=list)
    commit_lists: int = 0
    duration: float = 0.0

    def tally(self, item: Item) -> Tally:
        return self.tallies.setdefault(item.stream.id, (item.stream, Tally()))[1]


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
        self._announced: dict[int, int] = {}

    def announced(self, stream_id: int, seq: int) -> None:
        """Kafka has committed the announcements of a stream up to ``seq``: a later batch drops them."""
        self._announced[stream_id] = seq

    def apply(self, batch: Batch) -> None:
        """Apply a batch; on return it is committed, and its streams stand where the database has them.

        An event that the database refuses is found by halving the batch and becomes a dead letter.

        Raises:
            Fenced: another worker or an operator moved a partition; nothing was written.
            WorldError, psycopg2.Error: a service failed; the batch may be applied again.
        """
        try:
            self._apply_until_consistent(batch)
        except DataError as error:
            if len(batch.items) > 1:
                for half in batch.halves():
                    self.apply(half)
                return
            item = batch.items[0]
            record = item.record
            log.error("%s-%s@%s cannot be applied: %s", record.topic, record.partition, record.offset, error)  # noqa: TRY400  # one line
            log.debug("because of:", exc_info=True)
            item.error = EventError("cannot-be-applied", [Violation("$", str(error))])
            self._apply_until_consistent(batch)

    def _apply_until_consistent(self, batch: Batch) -> None:
        """Apply a batch anew while other transactions get in between, in the end with its organizations to itself."""
        alone = False
        collisions = 0
        for conflict in range(CONFLICTS_BEFORE_BLAME + 1):
            try:
                self._apply_once(batch, alone=alone)
            except NotAlone:
                alone = True
            except (StaleSnapshot, psycopg2.IntegrityError, psycopg2.OperationalError) as error:
                if not _is_conflict(error):
                    raise
                collisions += is_id_collision(error)
                if collisions > MAX_ATTEMPTS:
                    # Never an event's fault: ids are made anew for every attempt (SEMANTICS section 9).
                    message = f"{MAX_ATTEMPTS} new ids in a row are taken already: {first_line(error)}"
                    raise MaxSnowflakeRetryError(message) from error
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
            if isinstance(error, psycopg2.DataError | psycopg2.IntegrityError) and not _is_conflict(error):
                raise DataError(error) from error
            raise
        finally:
            self._locks.release()
            pooled.close()
        for advance in batch.advances:
            advance.stream.next_offset = advance.next_offset
        for stream, tally in outcome.tallies.values():
            stream.next_seq += tally.announcements
            for fate in ("applied", "duplicate", "parked", "dead"):
                metrics.EVENTS.labels(fate).inc(max(0, getattr(tally, fate)))
        for _ in range(outcome.commit_lists):
            metrics.SET_COMMITS_DURATION.observe(outcome.duration)

    def _write(self, cursor: Cursor, batch: Batch, *, alone: bool) -> _Outcome:
        """Everything between BEGIN and COMMIT.

        A stored commit that changes may be in the log of any release, also of one that another batch is writing:
        that takes a transaction that has its organizations to itself.
        """
        now = self._clock()
        streams.advance(cursor, batch.advances)
        outcome = _Outcome({a.stream.id: (a.stream, Tally()) for a in batch.advances})
        for advance in batch.advances:
            passed = advance.next_offset - advance.expected
            records = sum(1 for item in batch.items if item.stream is advance.stream and item.parked is None)
            outcome.tallies[advance.stream.id][1].absent += passed - records
        items = self._sift(cursor, batch, outcome)
        needs = Needs()
        for item in items:
            if item.plan is not None:
                item.plan.need(needs)
        if alone:
            needs.organizations = dict.fromkeys(needs.organizations, True)
        started = time.monotonic()
        rows = load(cursor, needs, self._supply, now)
        self._apply_items(items, rows, outcome, self._held_locks(items, rows))
        if rows.modified_stored_commits and not alone:
            message = "the batch changes commits that other releases may hold"
            raise NotAlone(message)
        save(cursor, rows)
        outcome.commit_lists, outcome.duration = len(needs.commit_lists), time.monotonic() - started
        failpoints.reach("inside-transaction")
        self._write_outcome(cursor, outcome, now)
        return outcome

    def _sift(self, cursor: Cursor, batch: Batch, outcome: _Outcome) -> list[Item]:
        """Items in the order they apply, without those seen before and those that must wait behind others."""
        fresh = [item for item in batch.items if item.parked is None and item.digest is not None]
        seen = processed_events.find_processed(cursor, {item.digest for item in fresh if item.digest})
        waiting = parking.waiting_keys(cursor, [item.plan.event.key for item in fresh if item.plan])
        untouched = parking.find_untouched(cursor, [item.parked for item in batch.items if item.parked])
        items = []
        for item in sorted(batch.items, key=lambda item: not item.comes_first):
            if item.parked is not None:
                # One that an earlier attempt saw to, whose answer to COMMIT was lost, has no business here.
                if item.parked.id in untouched:
                    items.append(item)
            elif item.digest in seen or item.digest in outcome.remembered:
                outcome.tally(item).duplicate += 1
            elif item.plan is not None and item.plan.event.key in waiting:
                self._wait(item, f"waits behind an earlier event of {item.plan.event.key}", outcome)
            else:
                items.append(item)
        return items

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

    def _apply_items(self, items: Sequence[Item], rows: WorkingSet, outcome: _Outcome, held: set[str]) -> None:
        blocked: set[str] = set()
        for item in items:
            rows.ordinal += 1
            if item.digest is not None and item.parked is None and item.digest in outcome.remembered:
                outcome.tally(item).duplicate += 1
                continue
            first_fact = len(rows.facts)
            try:
                self._apply_item(item, rows, held, blocked)
            except MustWait as wait:
                key = item.plan.event.key if item.plan else ""
                if item.parked is None:
                    self._wait(item, str(wait), outcome)
                elif key not in blocked:
                    self._postpone(item, str(wait), outcome)
                blocked.add(key)
                continue
            except EventError as error:
                self._bury(item, error, outcome)
                continue
            outcome.facts += [(item.stream, fact) for fact in rows.facts[first_fact:]]
            outcome.tally(item).applied += 1
            self._settle(item, outcome)
            if item.parked is None and item.digest is not None:
                outcome.remembered[item.digest] = None

    def _apply_item(self, item: Item, rows: WorkingSet, held: set[str], blocked: set[str]) -> None:
        if item.error is not None:
            raise item.error
        if item.plan is None:
            return
        key = item.plan.event.key
        if key in blocked:
            message = f"waits behind an earlier event of {key}"
            raise MustWait(message)
        if key in held and item.plan.sets_commits:
            message = f"commits of release {key} are being processed elsewhere"
            raise ReleaseCommitError(message)
        try:
            item.plan.apply(rows)
        except (EventError, WorldError):
            raise
        except Exception as error:
            raise DataError(error) from error

    # --- fates of items --------------------------------------------------------------------------------------

    def _wait(self, item: Item, reason: str, outcome: _Outcome) -> None:
        outcome.parked.append((item, reason))
        outcome.tally(item).parked += 1
        if item.digest is not None:
            outcome.remembered[item.digest] = None

    def _postpone(self, item: Item, reason: str, outcome: _Outcome) -> None:
        """One more attempt of a waiting event failed; after the last it is a dead letter."""
        if item.parked is not None and item.parked.attempts + 1 >= self._settings.parking_attempts:
            self._bury(item, EventError("release-commit-error", [Violation("$", reason)]), outcome)
        else:
            outcome.postponed.append((item, reason))

    def _bury(self, item: Item, error: EventError, outcome: _Outcome) -> None:
        outcome.dead.append((item, error))
        outcome.tally(item).dead += 1
        self._settle(item, outcome)
        if item.parked is not None and item.digest is not None:
            outcome.forgotten.append(item.digest)

    def _settle(self, item: Item, outcome: _Outcome) -> None:
        if item.parked is not None:
            outcome.settled.append(item.parked.id)
            outcome.tally(item).parked -= 1

    # --- writing the outcome ---------------------------------------------------------------------------------

    def _write_outcome(self, cursor: Cursor, outcome: _Outcome, now: datetime) -> None:
        self._supply.reserve(cursor, {"activity": len(outcome.facts), "dead_letter": len(outcome.dead)})
        self._write_announcements(cursor, outcome, now)
        parking.park(
            cursor,
            [
                (item.stream.id, item.record, item.plan.event.key, reason, 1, self._next_attempt(now, 1))
                for item, reason in outcome.parked
                if item.plan is not None
            ],
            now,
        )
        for item, reason in outcome.postponed:
            if item.parked is not None:
                attempts = item.parked.attempts + 1
                parking.postpone(cursor, item.parked.id, reason, self._next_attempt(now, attempts))
        parking.settle(cursor, outcome.settled)
        processed_events.forget(cursor, outcome.forgotten)
        processed_events.remember(cursor, outcome.remembered, now)
        outbox.prune(cursor, {id_: self._announced[id_] for id_ in outcome.tallies if id_ in self._announced})
        streams.tally(cursor, outcome.tallies.values())

    def _write_announcements(self, cursor: Cursor, outcome: _Outcome, now: datetime) -> None:
        """Keep activities and dead letters, and queue what announces them, numbered per stream."""
        queue: list[outbox.OutboxRow] = []

        def number(stream: Stream) -> int:
            tally = outcome.tallies[stream.id][1]
            tally.announcements += 1
            return stream.next_seq + tally.announcements - 1

        activities = []
        for stream, fact in outcome.facts:
            activity = Activity(self._supply.next("activity"), fact, str(stream.name), number(stream))
            activities.append(activity)
            queue.append(outbox.OutboxRow(stream.id, activity.seq, activity_id=activity.id))
        letters = []
        buried = dead_letters.find_buried(cursor, [(item.stream.id, item.record.offset) for item, _ in outcome.dead])
        for item, error in outcome.dead:
            if (item.stream.id, item.record.offset) in buried:
                # The partition is replayed: it is a dead letter already, and announced as one.
                continue
            letter_id = self._supply.next("dead_letter")
            letters.append(dead_letters.DeadLetter(letter_id, item.stream.id, item.record, item.event_type, error))
            queue.append(outbox.OutboxRow(item.stream.id, number(item.stream), dead_letter_id=letter_id))
        save_activities(cursor, activities, f"/release-consumer/{self._settings.group_id}")
        dead_letters.bury(cursor, letters, now)
        outbox.enqueue(cursor, queue)

    def _next_attempt(self, now: datetime, attempts: int) -> datetime:
        """When to try a waiting event again: longer after every failure, with jitter."""
        pause = min(self._settings.retry_base_seconds * 2 ** (attempts - 1), self._settings.retry_max_seconds)
        return now + timedelta(seconds=pause * random.uniform(0.8, 1.2))  # jitter, not a secret


def _is_conflict(error: Exception) -> bool:
    """Whether another transaction got in between, so that the batch is to be read and applied anew at once."""
    return isinstance(error, StaleSnapshot) or getattr(error, "pgcode", None) in _CONFLICTS
