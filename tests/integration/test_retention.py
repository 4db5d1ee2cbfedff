"""Retention: what is past its time goes in bounded batches, and nothing else does, also under load."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg2
import pytest

from consumer.intake.retention import Retention
from consumer.ops.verify.conservation import CONSERVATION
from consumer.store import retention
from consumer.store.database import transaction
from consumer.store.retention import BATCH_LETTERS, BATCH_ROWS, prune_outbox, retain
from tests.conformance.builders import commit, created, pushed
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services
    from consumer.store.database import Cursor

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MUCH = 1_000_000
ELSEWHERE = 999
"""A partition that is not the one whose totals must add up."""


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[DirectApplier]:
    with closing(DirectApplier(database_url, services.redis_url, halt_ratio=1)) as applier:
        yield applier


def add_event_ids(applier: DirectApplier, count: int, age: timedelta) -> None:
    with transaction(applier.engine) as cursor:
        cursor.execute(
            "INSERT INTO processed_event SELECT gen_random_uuid(), %s, %s, 0 FROM generate_series(1, %s)",
            (NOW - age, ELSEWHERE, count),
        )


def count(applier: DirectApplier, query: str) -> int:
    with transaction(applier.engine) as cursor:
        cursor.execute(query)
        ((found,),) = cursor.fetchall()
    return int(found)


def event_ids(applier: DirectApplier) -> int:
    return count(applier, "SELECT count(*) FROM processed_event")


def past(days: float) -> timedelta:
    """A time that is past what is kept for so many days."""
    return timedelta(days=days, seconds=1)


def fail_after(batches: int) -> Any:
    """Says that it is over after so many batches."""
    left = [batches]

    def is_over() -> bool:
        left[0] -= 1
        return left[0] < 0

    return is_over


# --- event ids ---------------------------------------------------------------------------------------------------


def test_event_ids_past_their_time_go_and_others_stay(applier: DirectApplier) -> None:
    days = applier.settings.event_id_retention_days
    add_event_ids(applier, 2 * BATCH_ROWS + 17, past(days))
    add_event_ids(applier, 5, timedelta(days=days - 1))
    removed = retain(applier.engine, applier.settings, NOW, MUCH)
    assert removed.event_ids == removed.rows == 2 * BATCH_ROWS + 17
    assert event_ids(applier) == 5
    assert retain(applier.engine, applier.settings, NOW, MUCH).rows == 0


def test_event_ids_that_went_are_counted(applier: DirectApplier) -> None:
    days = applier.settings.event_id_retention_days
    applier.apply([as_cloudevent(created(version=version)) for version in ("1.0", "2.0", "3.0")])
    for event_id_age in (days + 2, days + 1):
        with transaction(applier.engine) as cursor:
            cursor.execute(
                "UPDATE processed_event SET processed_at = %s WHERE ctid = (SELECT min(ctid) FROM processed_event)",
                (NOW - timedelta(days=event_id_age),),
            )
        assert retain(applier.engine, applier.settings, NOW, MUCH).event_ids == 1
        must_be_conserved(applier)
    assert event_ids(applier) == 1
    with transaction(applier.engine) as cursor:
        cursor.execute("DELETE FROM processed_event")
    assert failed_checks(applier) == {"applied-events"}


def test_batches_are_bounded_and_each_is_committed(applier: DirectApplier) -> None:
    add_event_ids(applier, 3 * BATCH_ROWS, past(14))
    removed = retain(applier.engine, applier.settings, NOW, MUCH, fail_after(1))
    assert removed.event_ids == BATCH_ROWS
    assert event_ids(applier) == 2 * BATCH_ROWS


def test_the_budget_is_kept(applier: DirectApplier) -> None:
    add_event_ids(applier, 100, past(14))
    assert retain(applier.engine, applier.settings, NOW, 60).event_ids == 60
    assert event_ids(applier) == 40


def test_one_worker_at_a_time(applier: DirectApplier) -> None:
    add_event_ids(applier, 10, past(14))
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (retention._RETENTION_LOCK,))
        assert retain(applier.engine, applier.settings, NOW, MUCH).rows == 0
    assert event_ids(applier) == 10
    assert retain(applier.engine, applier.settings, NOW, MUCH).rows == 10


def test_rows_that_others_hold_are_passed_over(applier: DirectApplier) -> None:
    add_event_ids(applier, 10, past(14))
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT FROM processed_event LIMIT 3 FOR UPDATE")
        assert retain(applier.engine, applier.settings, NOW, MUCH).event_ids == 7
    assert retain(applier.engine, applier.settings, NOW, MUCH).event_ids == 3


def test_a_row_in_the_place_of_one_that_is_gone_stays(applier: DirectApplier) -> None:
    add_event_ids(applier, 100, past(14))
    before = NOW - timedelta(days=14)
    places = retention._find_event_ids(applier.engine, before, 100)
    with closing(applier.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        connection.set_session(autocommit=True)
        cursor.execute("DELETE FROM processed_event")
        cursor.execute("VACUUM processed_event")
    add_event_ids(applier, 100, timedelta(days=1))
    assert set(retention._find_event_ids(applier.engine, NOW, 100)) & set(places), "no place was taken again"
    assert retention._remove_event_ids(applier.engine, places, before) == 0
    assert event_ids(applier) == 100


# --- dead letters ------------------------------------------------------------------------------------------------


def bury(applier: DirectApplier, number: int) -> None:
    """Apply so many events that become dead letters, and make their announcements known to Kafka."""
    applier.apply([b"no event"] * number)
    with transaction(applier.engine) as cursor:
        cursor.execute("DELETE FROM outbox")
        cursor.execute("UPDATE dead_letter SET dead_at = %s", (NOW - past(90),))


def failed_checks(applier: DirectApplier) -> set[str]:
    with transaction(applier.engine) as cursor:
        group = {"group": applier.settings.group_id}
        return {check.name for check in CONSERVATION if check.run(cursor, group) is not None}


def must_be_conserved(applier: DirectApplier) -> None:
    assert failed_checks(applier) == set()


def letters(applier: DirectApplier) -> int:
    return count(applier, "SELECT count(*) FROM dead_letter")


def test_old_dead_letters_go_in_batches_and_the_totals_still_add_up(applier: DirectApplier) -> None:
    bury(applier, BATCH_LETTERS + 20)
    assert retain(applier.engine, applier.settings, NOW, MUCH, fail_after(1)).dead_letters == BATCH_LETTERS
    must_be_conserved(applier)
    assert retain(applier.engine, applier.settings, NOW, MUCH).dead_letters == 20
    must_be_conserved(applier)
    assert letters(applier) == 0
    assert count(applier, "SELECT pruned FROM consumer_offset") == BATCH_LETTERS + 20


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ("status = 1", 1),  # it is tried again
        ("status = 2, settled_at = dead_at", 0),
        ("status = 3, settled_at = dead_at", 0),
        ("status = 2, settled_at = dead_at + interval '1 day'", 1),
        ("dead_at = dead_at + interval '1 day'", 1),
    ],
)
def test_what_became_of_a_dead_letter_decides(applier: DirectApplier, change: str, left: int) -> None:
    bury(applier, 1)
    with transaction(applier.engine) as cursor:
        cursor.execute(f"UPDATE dead_letter SET {change}")  # noqa: S608  # said above
    retain(applier.engine, applier.settings, NOW, MUCH)
    assert letters(applier) == left


def test_a_replayed_dead_letter_is_not_counted_as_pruned(applier: DirectApplier) -> None:
    bury(applier, 2)
    with transaction(applier.engine) as cursor:
        # As a replay that was applied leaves them.
        cursor.execute('UPDATE dead_letter SET status = 2, settled_at = dead_at WHERE "offset" = 0')
        cursor.execute("UPDATE consumer_offset SET dead = dead - 1, applied = applied + 1")
        cursor.execute("INSERT INTO processed_event SELECT gen_random_uuid(), %s, id, 0 FROM consumer_offset", (NOW,))
    assert retain(applier.engine, applier.settings, NOW, MUCH).dead_letters == 2
    must_be_conserved(applier)
    assert count(applier, "SELECT pruned FROM consumer_offset") == 1


def test_a_dead_letter_that_is_still_to_be_announced_stays(applier: DirectApplier) -> None:
    bury(applier, 2)
    with transaction(applier.engine) as cursor:
        cursor.execute(
            "INSERT INTO outbox (offset_id, seq, dead_letter_id)"
            " SELECT offset_id, 1, min(id) FROM dead_letter GROUP BY offset_id"
        )
    retain(applier.engine, applier.settings, NOW, MUCH)
    assert letters(applier) == 1


def test_a_partition_that_is_held_is_not_waited_for_long(applier: DirectApplier) -> None:
    bury(applier, 1)
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT FROM consumer_offset FOR UPDATE")
        with pytest.raises(psycopg2.OperationalError, match="lock timeout"):
            retain(applier.engine, applier.settings, NOW, MUCH)
    assert retain(applier.engine, applier.settings, NOW, MUCH).dead_letters == 1


# --- the outbox --------------------------------------------------------------------------------------------------


def test_what_kafka_has_committed_leaves_the_outbox_in_batches(applier: DirectApplier) -> None:
    stream = applier.stream.id
    with transaction(applier.engine) as cursor:
        cursor.execute(
            "INSERT INTO outbox (offset_id, seq, activity_id) SELECT %s, n, n FROM generate_series(1, %s) AS n",
            (stream, 2 * BATCH_ROWS + 10),
        )
    announced = {stream: 2 * BATCH_ROWS + 3, stream + 1: 7}
    assert prune_outbox(applier.engine, announced, MUCH, fail_after(1)) == BATCH_ROWS
    assert prune_outbox(applier.engine, announced, MUCH) == BATCH_ROWS + 3
    assert count(applier, "SELECT min(seq) FROM outbox") == 2 * BATCH_ROWS + 4


# --- beside a worker ---------------------------------------------------------------------------------------------


def test_the_thread_removes_and_stops(applier: DirectApplier) -> None:
    add_event_ids(applier, 100, timedelta(days=15) + (NOW - datetime.now(UTC)))
    thread = Retention(applier.engine, applier.settings, dict, period_seconds=0.05)
    thread.start()
    wait_until(lambda: event_ids(applier) == 0, "ids are gone")
    thread.stop(10)
    assert not thread._thread.is_alive()


def test_the_thread_outlives_a_lost_connection(applier: DirectApplier, caplog: pytest.LogCaptureFixture) -> None:
    asked = threading.Event()

    def announced() -> dict[int, int]:
        asked.set()
        return {applier.stream.id: 1}

    thread = Retention(applier.engine, applier.settings, announced, period_seconds=0.05)
    with transaction(applier.engine) as cursor:
        # It waits for this table until its connection is cut.
        cursor.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE")
        thread.start()
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass"
        )
        wait_until(lambda: _fetch(cursor, cut), "a connection is cut")
        wait_until(lambda: "is removed later" in caplog.text, "it says so")
    asked.clear()
    assert asked.wait(30), "no turn after that"
    thread.stop(10)


def _fetch(cursor: Cursor, query: str) -> int:
    cursor.execute(query)
    ((found,),) = cursor.fetchall()
    return int(found)


def test_under_load_what_is_applied_stays_right(services: Services, database_url: str) -> None:
    with closing(DirectApplier(database_url, services.redis_url, halt_ratio=1)) as applier:
        bury(applier, 300)
        age = timedelta(days=100) + (NOW - datetime.now(UTC))
        add_event_ids(applier, 20 * BATCH_ROWS, age)
        with transaction(applier.engine) as cursor:
            cursor.execute("UPDATE dead_letter SET dead_at = %s", (NOW - age,))
        thread = Retention(applier.engine, applier.settings, dict, period_seconds=0.05)
        thread.start()
        batches = 0
        while batches < 30 or event_ids(applier) > 10_000 or letters(applier):
            version = str(uuid4())
            events: list[AnyEvent] = [created(version=version), pushed(commit(version), version=version)]
            # Every event comes twice: the second time it must be known.
            applier.apply([as_cloudevent(event) for event in [*events, *events]])
            batches += 1
        thread.stop(30)
        must_be_conserved(applier)
        with transaction(applier.engine) as cursor:
            cursor.execute("SELECT applied, duplicate, dead, pruned FROM consumer_offset")
            assert cursor.fetchall() == [(2 * batches, 2 * batches, 300, 300)]
        assert count(applier, "SELECT count(*) FROM release WHERE commit_count = 1") == batches
        assert event_ids(applier) == 2 * batches
