"""What a worker says of its health."""

from __future__ import annotations

import pytest

from consumer.health import Health

STALL_SECONDS = 60.0


class Clock:
    """A clock that goes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(STALL_SECONDS, clock)


def test_a_worker_that_starts_lives_and_is_not_ready(health: Health, clock: Clock) -> None:
    clock.now += 10 * STALL_SECONDS
    assert health.why_not_live() is None
    assert health.why_not_ready() == "the worker has not started yet"


def test_a_worker_without_work_is_ready(health: Health, clock: Clock) -> None:
    health.ready()
    clock.now += 10 * STALL_SECONDS
    health.turn()
    assert health.why_not_ready() is None


def test_work_without_progress_makes_it_not_ready_until_it_is_done(health: Health, clock: Clock) -> None:
    health.ready()
    health.work("applying", "a batch is not committed")
    clock.now += STALL_SECONDS
    health.turn()
    assert health.why_not_ready() is None
    health.work("applying", "a batch is not committed: PostgreSQL is away")
    clock.now += 1
    assert health.why_not_ready() == "a batch is not committed: PostgreSQL is away, for 61 s"
    assert health.why_not_live() is None
    health.work("applying", None)
    assert health.why_not_ready() is None


def test_work_that_goes_on_counts_from_its_last_progress(health: Health, clock: Clock) -> None:
    health.ready()
    for _ in range(5):
        health.work("applying", "a batch is not committed")
        clock.now += STALL_SECONDS / 2
        health.turn()
        health.work("applying", None)
    health.work("applying", "a batch is not committed")
    assert health.why_not_ready() is None


def test_a_main_loop_that_hangs_is_not_live(health: Health, clock: Clock) -> None:
    health.ready()
    health.turn()
    clock.now += STALL_SECONDS + 1
    assert health.why_not_live() == health.why_not_ready() == "the main loop has not come round for 61 s"


def test_a_halted_worker_says_why(health: Health) -> None:
    health.ready()
    health.turn()
    health.stop("halted: too many dead letters")
    assert health.why_not_ready() == "halted: too many dead letters"
