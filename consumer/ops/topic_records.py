"""Reading the records of topics from one offset to another, beside the workers."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.errors import ServiceUnavailable
from consumer.intake.kafka import end_of_partition, to_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Message

    from consumer.contracts.records import Record
    from consumer.intake.assignment import Partition
    from consumer.settings import Settings

_CHUNK = 500
_QUEUED_KILOBYTES = 16 * 1024
_SILENCE_SECONDS = 30.0
_POLL_SECONDS = 1.0


def read_records(
    settings: Settings, bootstrap_servers: str, spans: Mapping[Partition, tuple[int, int]]
) -> Iterator[list[Record]]:
    """The committed records of spans, each partition in its order, so many at a time as memory holds easily.

    Offsets that hold no record are passed. No group is joined.

    Args:
        settings: librdkafka properties, and the group that it is done for.
        bootstrap_servers: Kafka.
        spans: by partition, the first offset and the one after the last.

    Raises:
        KafkaException: Kafka refuses, or no longer has what is asked for.
        ServiceUnavailable: Kafka says nothing for too long.
    """
    ends = {partition: end for partition, (start, end) in spans.items() if start < end}
    properties = {
        **settings.kafka_client(bootstrap_servers),
        # librdkafka wants a group, though nothing is ever committed or joined.
        "group.id": f"{settings.group_id}-reading",
        "enable.auto.commit": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "queued.max.messages.kbytes": _QUEUED_KILOBYTES,
    }
    with closing(Consumer(properties)) as consumer:
        consumer.assign([TopicPartition(*partition, spans[partition][0]) for partition in ends])
        silent_since = time.monotonic()
        while ends:
            first = consumer.poll(_POLL_SECONDS)
            if first is not None:
                # What is there already; waiting for a full chunk would cost time.
                messages = [first, *consumer.consume(_CHUNK - 1, 0)]
                records = [record for message in messages if (record := _take(message, ends)) is not None]
                if records:
                    yield records
                silent_since = time.monotonic()
            elif time.monotonic() - silent_since > _SILENCE_SECONDS:
                message = (
                    f"Kafka said nothing of {', '.join(f'{topic}-{number}' for topic, number in ends)} for"
                    f" {_SILENCE_SECONDS:g} s; is it up? see `release-consumer stack status`"
                )
                raise ServiceUnavailable(message)


def _take(message: Message, ends: dict[Partition, int]) -> Record | None:
    """The record of a message that is not beyond its span; partitions whose span is read leave ``ends``."""
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
        if error.retriable():
            return None
        raise KafkaException(error)
    partition, offset = end_of_partition(message)
    end = ends.get(partition)
    if end is None:
        return None
    if offset >= (end if error is not None else end - 1):
        del ends[partition]
    return to_record(message) if error is None and offset < end else None
