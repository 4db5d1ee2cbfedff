"""How long the question may take what the group has committed, when Kafka does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.announce.group_offsets import GroupOffsets
from consumer.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection

    import pytest

PARTITIONS = [("release-events", number) for number in range(200)]


class Answering:
    """A consumer whose questions about some partitions take all the time they are given."""

    def __init__(self, undecided: Collection[int]) -> None:
        self._undecided = undecided
        self.seconds = 0.0

    def committed(self, asked: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        if any(partition.partition in self._undecided for partition in asked):
            self.seconds += timeout
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [TopicPartition(partition.topic, partition.partition, 7) for partition in asked]


def group_offsets(monkeypatch: pytest.MonkeyPatch, consumer: Answering) -> GroupOffsets:
    group = GroupOffsets(Settings(), "127.0.0.1:1")
    monkeypatch.setattr(group, "_consumer", consumer)
    return group


def test_without_any_answer_it_ends_before_it_is_taken_for_a_call_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Answering(range(200))
    assert group_offsets(monkeypatch, consumer).stable(PARTITIONS) == {}
    assert consumer.seconds < Settings().transaction_timeout_seconds


def test_those_that_are_decided_are_told_sooner_or_later(monkeypatch: pytest.MonkeyPatch) -> None:
    undecided = range(100)
    group = group_offsets(monkeypatch, Answering(undecided))
    told: set[int] = set()
    while len(told) < len(PARTITIONS) - len(undecided):
        told |= {number for _, number in group.stable([p for p in PARTITIONS if p[1] not in told])}
    assert told.isdisjoint(undecided)
