"""Events of one key that wait keep their order, also when a batch is halved or tried again (DESIGN section 3)."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from consumer.ids.lock import release_lock_key
from consumer.intake.batch import retry_batch
from consumer.store import parking
from consumer.store.database import transaction
from tests.conformance.builders import commit, created, pushed
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services
    from consumer.store.parking import ParkedEvent

MANY_BYTES = 1_000_000


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[DirectApplier]:
    with closing(DirectApplier(database_url, services.redis_url)) as direct:
        yield direct


@pytest.fixture
def waiting(applier: DirectApplier, services: Services) -> list[ParkedEvent]:
    """Three commit lists of one release that came while another process worked on it, which has ended."""
    applier.apply([as_cloudevent(created())])
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT organization_id, id FROM release")
        lock = release_lock_key(*cursor.fetchall()[0])
    with closing(Redis.from_url(services.redis_url)) as redis:
        redis.set(lock, b"somebody else")
        applier.apply([as_cloudevent(pushed(commit(key))) for key in "abc"])
        redis.delete(lock)
    with transaction(applier.engine) as cursor:
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        found = parking.due_events(cursor, [applier.stream.id], tomorrow, 10, MANY_BYTES)
    assert len(found) == 3
    return found


def retry(applier: DirectApplier, events: list[ParkedEvent]) -> None:
    applier.applier.apply(retry_batch(events, {applier.stream.id: applier.stream}, applier.settings))


def left(applier: DirectApplier) -> list[int]:
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT id FROM parked_event ORDER BY id")
        return [id_ for (id_,) in cursor.fetchall()]


def last_commit(applier: DirectApplier) -> str | None:
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT c.key FROM release r LEFT JOIN commit c ON c.id = r.last_commit_id")
        ((key,),) = cursor.fetchall()
    return str(key) if key is not None else None


def test_all_of_them_apply_in_their_order(applier: DirectApplier, waiting: list[ParkedEvent]) -> None:
    retry(applier, waiting)
    assert left(applier) == []
    assert last_commit(applier) == "c"


def test_the_second_half_of_a_batch_never_overtakes_the_first(
    applier: DirectApplier, waiting: list[ParkedEvent]
) -> None:
    first, *others = waiting
    retry(applier, others)
    assert left(applier) == [event.id for event in waiting]
    assert last_commit(applier) is None
    retry(applier, [first])
    retry(applier, others)
    assert left(applier) == []
    assert last_commit(applier) == "c"


def test_what_was_tried_meanwhile_holds_back_what_waits_behind_it(
    applier: DirectApplier, waiting: list[ParkedEvent]
) -> None:
    with transaction(applier.engine) as cursor:
        cursor.execute("UPDATE parked_event SET attempts = attempts + 1 WHERE id = %s", (waiting[0].id,))
    retry(applier, waiting)
    assert left(applier) == [event.id for event in waiting]
    assert last_commit(applier) is None


def test_no_more_bytes_are_tried_at_once_than_a_batch_may_have(
    applier: DirectApplier, waiting: list[ParkedEvent]
) -> None:
    """Else a worker could need any amount of memory for what waits, end by it, and find the same when it starts."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    two = sum(len(event.record.value or b"") for event in waiting[:2])
    with transaction(applier.engine) as cursor:
        for max_bytes, number in ((1, 1), (two, 2), (two + 1, 3)):
            found = parking.due_events(cursor, [applier.stream.id], tomorrow, 10, max_bytes)
            assert found == waiting[:number]


@pytest.fixture
def lock(applier: DirectApplier, services: Services) -> Iterator[Callable[[str], None]]:
    """Makes the lock of the only release "held" by another, or "free"."""
    with closing(Redis.from_url(services.redis_url)) as redis:

        def set_lock(state: str) -> None:
            with transaction(applier.engine) as cursor:
                cursor.execute("SELECT organization_id, id FROM release")
                name = release_lock_key(*cursor.fetchall()[0])
            if state == "held":
                redis.set(name, b"somebody else")
            else:
                redis.delete(name)

        yield set_lock


def retry_all(applier: DirectApplier) -> None:
    """Try what waits until nothing does."""
    while left(applier):
        with transaction(applier.engine) as cursor:
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            found = parking.due_events(cursor, [applier.stream.id], tomorrow, 10, MANY_BYTES)
        retry(applier, found)


def test_a_clock_that_is_set_back_does_not_change_their_order(
    applier: DirectApplier, lock: Callable[[str], None]
) -> None:
    applier.apply([as_cloudevent(created())])
    lock("held")
    now = datetime.now(UTC)
    for minutes, key in ((0, "a"), (-5, "b"), (-9, "c")):
        applier.applier._clock = partial(_later, now, minutes)
        applier.apply([as_cloudevent(pushed(commit(key)))])
    lock("free")
    retry_all(applier)
    assert last_commit(applier) == "c"


def _later(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


@pytest.mark.parametrize("meanwhile", ["free", "held"])
def test_what_a_forced_replay_brings_again_goes_before_what_waits_and_came_after_it(
    applier: DirectApplier, lock: Callable[[str], None], meanwhile: str
) -> None:
    events = [as_cloudevent(created()), *(as_cloudevent(pushed(commit(key))) for key in "abc")]
    applier.apply(events[:3])
    lock("held")
    applier.apply(events[3:])
    lock(meanwhile)
    with transaction(applier.engine) as cursor:
        cursor.execute("UPDATE consumer_offset SET next_offset = 0, forced = true")
    applier.stream, applier._next_offset = applier.claim(), 0
    applier.apply(events[:2])
    applier.apply(events[2:])
    lock("free")
    retry_all(applier)
    assert last_commit(applier) == "c"
