"""What the announcer believes of the streams that it is told about."""

from __future__ import annotations

from unittest.mock import Mock
from uuid import uuid4

from consumer.announce.announcer import Announcer
from consumer.settings import Settings
from consumer.store.streams import Stream


def test_a_late_answer_about_an_earlier_claim_does_not_set_a_lane_back() -> None:
    announcer = Announcer(Mock(), Mock(), Mock(), Settings(), Mock())
    name = uuid4()
    earlier = Stream(id=1, name=name, epoch=1, next_offset=5, next_seq=2)
    later = Stream(id=1, name=name, epoch=3, next_offset=9, next_seq=6)
    announcer.take_over("release-events", 0, earlier)
    announcer.let_go([1], timeout_seconds=0)
    announcer.take_over("release-events", 0, later)

    announcer.applied([earlier])

    (lane,) = announcer._lanes.values()
    assert (lane.applied_offset, lane.applied_seq) == (9, 5)
