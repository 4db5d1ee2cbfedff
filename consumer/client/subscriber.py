"""The subscriber: reads what was announced, committed announcements only."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self, cast

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.contracts.cloudevents import to_document
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError
from consumer.services import resolve_service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event
    from types import TracebackType

    from consumer.client.making import Document
    from consumer.contracts.cloudevents import Headers
    from consumer.settings import Settings

_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.5


class Subscriber:
    """Reads the activities of all partitions of the activity topic; use it as a context manager.

    Only what is committed is seen: with that, every activity is there once (DESIGN section 2). It joins no consumer
    group and commits no offset. Who must go on after a restart where he ended keeps ``stream`` and ``sequence`` of what
    he has dealt with, reads from the beginning, and passes what is not above it: ``sequence`` is a decimal string, and
    is compared as a number.

    Args:
        settings: the topic, and any librdkafka property.
        bootstrap_servers: the Kafka servers, ``host:port``, comma separated; ``None``: those of the settings, else
            those of the stack in ``settings.stack_data``, as for every command.

    Raises:
        UsageError: no Kafka server is named, and none of a stack is up.
        KafkaException: a librdkafka property is refused.

    Example:
        >>> with Subscriber(load_settings()) as subscriber:  # doctest: +SKIP
        ...     for activity in subscriber.activities(from_beginning=True, until_caught_up=True):
        ...         print(activity["type"], activity["subject"])
        activity.release.created web@1.4.0
    """

    def __init__(self, settings: Settings, bootstrap_servers: str | None = None) -> None:
        self._topic = settings.topics.activity
        servers = bootstrap_servers or resolve_service(settings, "kafka")
        self._admin_properties = settings.kafka_client(servers)
        self._consumer = Consumer(
            {
                **settings.kafka_client(servers, is_polled=True),
                # librdkafka wants a group, though nothing is ever committed or joined.
                "group.id": f"{settings.group_id}-tail",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        self._consumer.close()

    def activities(
        self, *, from_beginning: bool = False, until_caught_up: bool = False, stop: Event | None = None
    ) -> Iterator[Document]:
        """The activities as they come, each a CloudEvent in structured form; in order within a partition.

        While Kafka is away it waits, and goes on where it was.

        Args:
            from_beginning: start with the oldest activity, not with the next one.
            until_caught_up: end after what was there at the start.
            stop: when set, it ends within half a second; ``None``: it ends only when caught up, or never.

        Raises:
            ServiceUnavailable: Kafka does not answer at the start.
            UsageError: there is no such topic, or something else writes to it.
            KafkaException: Kafka refuses to be read, or goes away before it was caught up with.
        """
        partitions = self._partitions(OFFSET_BEGINNING if from_beginning else OFFSET_END)
        ends = self._ends(partitions) if until_caught_up else None
        self._consumer.assign(partitions)
        for message in self._messages(ends, stop):
            yield _document(message)

    def _partitions(self, offset: int) -> list[TopicPartition]:
        try:
            metadata = self._consumer.list_topics(self._topic, timeout=_ANSWER_SECONDS).topics[self._topic]
        except KafkaException as error:
            msg = (
                f"Kafka does not answer within {_ANSWER_SECONDS:g} s: {error.args[0].str()}; "
                "check RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS, or run `release-consumer stack up`"
            )
            raise ServiceUnavailable(msg) from error
        if metadata.error is not None:
            if metadata.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                msg = f"Kafka has no topic {self._topic!r}; run `release-consumer setup`"
                raise UsageError(msg)
            raise KafkaException(metadata.error)
        return [TopicPartition(self._topic, number, offset) for number in metadata.partitions]

    def _ends(self, partitions: list[TopicPartition]) -> dict[int, int]:
        """Per partition where it ends, open transactions included.

        A worker's transaction is decided a moment before Kafka marks its records as committed: who asked for committed
        ends in between would miss the last announcements.
        """
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped there
        asked = {TopicPartition(partition.topic, partition.partition): latest for partition in partitions}
        admin = AdminClient(self._admin_properties)  # a client that is gone never answers
        futures = admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=_ANSWER_SECONDS
        )
        return {partition.partition: future.result().offset for partition, future in futures.items()}

    def _messages(self, ends: dict[int, int] | None, stop: Event | None) -> Iterator[Message]:
        """Messages until ``stop``, or up to ``ends``.

        The last offsets before an end may be markers of transactions, which no message ever has: the end of the
        partition is told by an event of its own.
        """
        following = ends is None
        behind = set(ends or ())
        while (stop is None or not stop.is_set()) and (following or behind):
            message = self._consumer.poll(_POLL_SECONDS)
            if message is None:
                continue
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
                if following and error.retriable():
                    continue
                raise KafkaException(error)
            partition, offset = cast("int", message.partition()), cast("int", message.offset())
            end = ends[partition] if ends is not None else sys.maxsize
            if error is None and offset < end:
                yield message
            if offset >= (end - 1 if error is None else end):
                behind.discard(partition)


def _document(message: Message) -> dict[str, Any]:
    try:
        return to_document(message.value() or b"", cast("Headers | None", message.headers()))
    except InvalidEvent as error:
        place = f"{message.topic()}/{message.partition()}@{message.offset()}"
        msg = f"record {place} is not a CloudEvent: {error}; something else writes to this topic"
        raise UsageError(msg) from None
