"""When a run of dead letters halts a worker."""

from __future__ import annotations

import pytest

from consumer.errors import EventError, Halted, Violation
from consumer.intake.breaker import DeadLetterBreaker
from consumer.settings import Settings

BAD = EventError("schema", [Violation("$.data", "is missing")])


def breaker(ratio: float = 0.5) -> DeadLetterBreaker:
    return DeadLetterBreaker(Settings(halt_window=100, halt_dead_letters=10, halt_ratio=ratio))


def go_through(breaker: DeadLetterBreaker, events: int, dead: int) -> None:
    breaker.check(events, [BAD] * dead)
    breaker.count(events, dead)


def test_a_few_dead_letters_never_halt() -> None:
    watched = breaker()
    for _ in range(9):
        go_through(watched, 1, 1)


def test_more_than_the_ratio_halts_and_says_what_is_wrong() -> None:
    watched = breaker()
    go_through(watched, 9, 9)
    with pytest.raises(Halted, match=r"10 of the last 10 events.*\$\.data: is missing.*RELEASE_CONSUMER_HALT_RATIO"):
        watched.check(1, [BAD])


def test_no_more_than_the_ratio_goes_on() -> None:
    watched = breaker()
    for _ in range(20):
        go_through(watched, 50, 25)


def test_what_lies_further_back_than_the_window_does_not_count() -> None:
    watched = breaker()
    go_through(watched, 1000, 0)
    go_through(watched, 100, 0)
    with pytest.raises(Halted):
        watched.check(150, [BAD] * 130)
    go_through(watched, 40, 40)
    for _ in range(3):
        go_through(watched, 100, 10)
    go_through(watched, 90, 45)


def test_a_batch_without_dead_letters_never_halts() -> None:
    watched = breaker()
    go_through(watched, 19, 9)
    watched.count(10, 10)
    watched.check(1, [])


def test_a_ratio_of_one_never_halts() -> None:
    watched = breaker(ratio=1)
    for _ in range(20):
        go_through(watched, 50, 50)
