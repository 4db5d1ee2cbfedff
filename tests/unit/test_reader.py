"""What the reader makes of what Kafka's client hands out, in an order that the real one keeps to only now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from consumer.intake.kafka import to_record
from consumer.intake.reader import Reader
from consumer.settings import Settings
from consumer.store.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

TOPIC = "release-events"


class Scripted:
    """A consumer that hands out these messages, as many at a time as it is asked for."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._messages = list(messages)

    def incremental_assign(self, partitions: list[TopicPartition]) -> None:
        """It has all partitions."""

    def pause(self, partitions: list[TopicPartition]) -> None:
        """It hands out what it has."""

    def poll(self, _timeout: float) -> Message | None:
        return self._messages.pop(0) if self._messages else None

    def consume(self, count: int, _timeout: float) -> list[Message]:
        taken, self._messages = self._messages[:count], self._messages[count:]
        return taken


def record(partition: int, offset: int) -> Message:
    return Message(topic=TOPIC, partition=partition, offset=offset, value=b"x" * 1024, timestamp=(1, 0))


def end(partition: int, offset: int) -> Message:
    return Message(topic=TOPIC, partition=partition, offset=offset, error=KafkaError(KafkaError._PARTITION_EOF))


def test_the_last_records_of_a_partition_are_no_marks_while_another_batch_comes_before_them() -> None:
    messages = [record(0, 0), record(0, 1), record(1, 0), end(1, 2), end(0, 2)]
    reader = Reader(Settings(batch_bytes=2048), cast("Consumer", Scripted(messages)), lambda _: {})
    reader.assign([(TOPIC, 0), (TOPIC, 1)])
    for number, assigned in enumerate(reader.assignment.assigned.values()):
        assigned.stream = Stream(number, uuid4(), epoch=1, next_offset=0, next_seq=1)

    first = reader.read(is_busy=False)
    assert first is not None
    assert [str(item) for item in first.items] == [f"{TOPIC}-0@0", f"{TOPIC}-0@1"]
    assert reader.pass_empty_offsets() is None, "the record of the other partition is still to come"

    second = reader.read(is_busy=False)
    assert second is not None
    assert [str(item) for item in second.items] == [f"{TOPIC}-1@0"]
    for advance in (*first.advances, *second.advances):
        advance.stream.next_offset = advance.next_offset

    empty = reader.pass_empty_offsets()
    assert empty is not None
    assert [(a.stream.id, a.expected, a.next_offset) for a in empty.advances] == [(1, 1, 2)], "a mark, and no record"


@pytest.mark.parametrize("milliseconds", [253_402_300_800_000, 10**16, 2**63 - 1])
def test_a_time_that_no_calendar_has_is_no_time(milliseconds: int) -> None:
    """Kafka up to 3.9 takes any time, a later one where the topic says so: such as one in microseconds."""
    message = Message(topic=TOPIC, partition=0, offset=7, value=b"x", timestamp=(1, milliseconds))
    kept = to_record(message)
    assert (kept.offset, kept.value, kept.timestamp) == (7, b"x", None)


class Unreadable(Message):
    """A message with a header whose name is not UTF-8, as Kafka's client hands it out (tried with 2.16)."""

    def headers(self) -> NoReturn:
        message = "<method 'headers' of 'cimpl.Message' objects> returned a result with an exception set"
        raise SystemError(message)


def test_a_header_whose_name_is_no_text_does_not_end_the_worker(caplog: pytest.LogCaptureFixture) -> None:
    kept = to_record(Unreadable(topic=TOPIC, partition=0, offset=7, value=b"x", timestamp=(1, 0)))
    assert (kept.offset, kept.value, kept.headers) == (7, b"x", ())
    assert f"{TOPIC}-0@7" in caplog.text
