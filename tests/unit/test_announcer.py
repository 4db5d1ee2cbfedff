"""What the announcer believes of the streams that it is told about, and what it does about a client that hangs."""

from __future__ import annotations

import logging
from threading import Event
from typing import TYPE_CHECKING
from unittest.mock import Mock
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.announce.announcer import Announcer
from consumer.announce.lane import Lane, Lanes
from consumer.announce.speaker import Speaker
from consumer.errors import ServiceUnavailable
from consumer.settings import Settings
from consumer.store.streams import Stream
from tests.support.logs import records_of
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Hanging:
    """A producer that hangs in its first call until it is let go."""

    def __init__(self, let_go: Event) -> None:
        self._let_go = let_go

    def init_transactions(self, _timeout: float) -> None:
        self._let_go.wait()


@pytest.fixture
def let_go() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def stream(epoch: int, next_offset: int, next_seq: int) -> Stream:
    return Stream(id=1, name=uuid4(), epoch=epoch, next_offset=next_offset, next_seq=next_seq)


def test_a_late_answer_about_an_earlier_claim_does_not_set_a_lane_back() -> None:
    announcer = Announcer(Mock(), Mock(), Mock(), Settings(), Mock())
    earlier, later = stream(1, 5, 2), stream(3, 9, 6)
    announcer.take_over("release-events", 0, earlier)
    announcer.let_go([1], timeout_seconds=0)
    announcer.take_over("release-events", 0, later)

    announcer.applied([earlier])

    (lane,) = announcer._lanes._lanes.values()
    assert (lane.applied_offset, lane.applied_seq) == (9, 5)


def test_all_is_not_settled_while_a_transaction_with_another_offset_is_under_way() -> None:
    lanes, speaker, claimed = Lanes(Mock()), object(), stream(1, 0, 5)
    lanes.give_to(speaker)
    lanes.add(Lane("release-events", 0, claimed, applied_offset=0, applied_seq=4))
    # An operator has moved the offset from 5 to 0: that is announced, and meanwhile the worker comes to 5 again.
    (lane,) = lanes.next(speaker)
    lanes.found(speaker, lane, offset=5, seq=4)
    claimed.next_offset = 5
    lanes.applied([claimed])
    assert lane.is_settled
    assert not lanes.wait_until_settled(0)

    lanes.committed(speaker, {lane: (0, 4)})
    lanes.end(speaker, 0)
    assert not lanes.wait_until_settled(0)

    assert lanes.next(speaker) == [lane]
    lanes.committed(speaker, {lane: (5, 4)})
    lanes.end(speaker, 0)
    assert lanes.wait_until_settled(0)


def test_a_rebalance_is_no_warning_unless_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "consumer.announce")
    means = Mock(settings=Settings())
    speaker = Speaker(Mock(), means)

    def fail(code: int) -> int:
        caplog.clear()
        speaker._recover([], KafkaException(KafkaError(code)))
        speaker._longer_pause()
        (record,) = records_of(caplog, "consumer.announce")
        return record.levelno

    assert fail(KafkaError.TOPIC_AUTHORIZATION_FAILED) == logging.WARNING
    levels = [fail(KafkaError.ILLEGAL_GENERATION) for _ in range(9)]
    assert levels == sorted(levels)
    assert set(levels) == {logging.INFO, logging.WARNING}


def test_a_client_that_hangs_is_replaced_a_few_times_and_then_ends_the_worker(let_go: Event) -> None:
    made = []

    def make_producer() -> Hanging:
        made.append(Hanging(let_go))
        return made[-1]

    announcer = Announcer(Mock(), make_producer, Mock(), Settings(), Mock())  # type: ignore[arg-type]
    announcer._longest_call_seconds = 0.01
    announcer.take_over("release-events", 0, stream(1, 5, 2))

    def fails() -> bool:
        try:
            announcer.raise_failure()
        except ServiceUnavailable as error:
            return "initializing transactions" in str(error)
        return False

    announcer.start()
    wait_until(fails, "the announcer gives up")

    assert len(made) == 4


def test_a_client_that_hangs_does_not_hold_back_the_end(let_go: Event) -> None:
    entered = Event()

    class Entered(Hanging):
        def init_transactions(self, timeout: float) -> None:
            entered.set()
            super().init_transactions(timeout)

    announcer = Announcer(Mock(), lambda: Entered(let_go), Mock(), Settings(), Mock())  # type: ignore[arg-type,return-value]
    announcer.take_over("release-events", 0, stream(1, 5, 2))
    announcer.start()
    assert entered.wait(5)

    assert not announcer.drain(0)
    announcer.stop()

    assert announcer._speaker.is_alive
