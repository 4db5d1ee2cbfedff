"""Publishing: validated CloudEvents to the right topic, under the right record key, with confirmation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import orjson
from confluent_kafka import KafkaError, KafkaException, Producer

from consumer.contracts import AnyEvent, GroupUpdated, ReleaseEvent, decode, reasons, validate
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError, Violation

if TYPE_CHECKING:
    from types import TracebackType

    from confluent_kafka import Message

    from consumer.settings import Settings

# Room for key, headers and framing beside the value of the largest event.
_OVERHEAD_BYTES = 64 * 1024
_DELIVERY_SECONDS = 60.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """An event as it goes to Kafka: its topic, its record key, and the CloudEvent in structured mode."""

    topic: str
    key: bytes
    value: bytes


def to_record(document: dict[str, Any], settings: Settings) -> OutgoingRecord:
    """The Kafka record of an event; ``time`` and ``subject`` are filled in where missing.

    The key is the version key ``organization:version`` of a release event, the organization of a catalog event
    (SEMANTICS section 2).

    Args:
        document: the CloudEvent in structured form, as ``json.loads`` returns it.
        settings: topics and the largest event.

    Raises:
        InvalidEvent: consumers would refuse it; with every violation, for the reason that ``decode`` gives.
    """
    limit = settings.max_event_bytes
    event = decode(_encode(document), None, max_bytes=limit)
    time = document.get("time") or format_timestamp(datetime.now(UTC))
    value = _encode({**document, "time": time, "subject": document.get("subject") or _subject(event)})
    if len(value) > limit:
        raise InvalidEvent(reasons.TOO_LARGE, [Violation("$", f"has more than {limit} bytes")])
    topics = settings.topics
    topic = topics.release_events if isinstance(event, ReleaseEvent) else topics.catalog_events
    return OutgoingRecord(topic, event.key.encode(), value)


class Publisher:
    """Publishes CloudEvents in structured mode; use it as a context manager.

    Entering it makes sure that Kafka answers and has the topics; leaving it waits until Kafka has confirmed all
    events. An error inside the block drops what was not sent yet.

    Args:
        settings: topics, largest event, time-outs, and any librdkafka property (``settings.kafka_properties``).
        bootstrap_servers: the Kafka servers, ``host:port``, comma separated.

    Attributes:
        delivered: how many events Kafka has confirmed, by topic.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self.delivered: Counter[str] = Counter()
        self._settings = settings
        self._servers = bootstrap_servers
        self._failure: KafkaError | None = None
        self._producer = Producer(_configuration(settings, bootstrap_servers))

    def __enter__(self) -> Self:
        """Check that Kafka answers and has the topics.

        Raises:
            ServiceUnavailable: Kafka does not answer within ``settings.startup_timeout_seconds``.
            UsageError: a topic is missing.
        """
        try:
            metadata = self._producer.list_topics(timeout=self._settings.startup_timeout_seconds)
        except KafkaException as error:
            msg = f"Kafka at {self._servers} does not answer: {error.args[0].str()}; start it or name another server"
            raise ServiceUnavailable(msg) from None
        missing = [topic for topic in self._settings.topics.inputs if topic not in metadata.topics]
        if missing:
            msg = f"Kafka at {self._servers} has no topic {', '.join(missing)}; run `release-consumer setup`"
            raise UsageError(msg)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the confirmation of every event, as ``flush`` does; after an error drop what was not sent."""
        if kind is None:
            self.flush()
        else:
            self._producer.purge()
            self._producer.flush(0)

    def publish(self, document: dict[str, Any]) -> None:
        """Validate an event and hand it to the Kafka client, which sends it in the background.

        Events of one record key keep their order.

        Args:
            document: the CloudEvent in structured form, as ``json.loads`` returns it.

        Raises:
            InvalidEvent: the event breaks the contract or is larger than ``settings.max_event_bytes``.
            ServiceUnavailable: an event given earlier could not be delivered.
        """
        record = to_record(document, self._settings)
        while not self._enqueue(record):
            self._producer.poll(_POLL_SECONDS)
        self._producer.poll(0)
        self._raise_failure()

    def flush(self) -> None:
        """Wait until Kafka has confirmed every event given so far.

        Raises:
            ServiceUnavailable: Kafka did not confirm one, for about a minute at most.
        """
        # Ends: every event is confirmed or refused within the delivery time-out.
        while len(self._producer):
            self._producer.poll(_POLL_SECONDS)
            self._raise_failure()
        self._raise_failure()

    def _enqueue(self, record: OutgoingRecord) -> bool:
        """Hand a record to the client; ``False`` while its queue is full."""
        try:
            self._producer.produce(
                record.topic,
                record.value,
                record.key,
                headers={CONTENT_TYPE: STRUCTURED_JSON},
                on_delivery=self._on_delivery,
            )
        except BufferError:
            return False
        except KafkaException as error:
            self._failure = error.args[0]
            self._raise_failure()
        return True

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered[str(message.topic())] += 1
        else:
            self._failure = self._failure or error

    def _raise_failure(self) -> None:
        if self._failure is None:
            return
        msg = f"Kafka at {self._servers} did not take an event: {self._failure.str()}"
        if self._failure.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            msg += "; raise max.message.bytes of the topic"
        raise ServiceUnavailable(msg)


def _encode(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        violations = validate(document) or [Violation("$", f"cannot be written as JSON: {error}")]
        raise InvalidEvent(reasons.NOT_JSON, violations) from None


def _configuration(settings: Settings, bootstrap_servers: str) -> dict[str, Any]:
    message_bytes = settings.max_event_bytes + _OVERHEAD_BYTES
    return {
        "compression.type": "zstd",
        # Keys land in the partitions where the Java client puts them.
        "partitioner": "murmur2_random",
        "linger.ms": 5,
        "delivery.timeout.ms": int(_DELIVERY_SECONDS * 1000),
        "queue.buffering.max.kbytes": max(64 * 1024, 2 * message_bytes // 1024),
        # Errors are raised, not printed.
        "log_level": 0,
        **settings.kafka_properties,
        "bootstrap.servers": bootstrap_servers,
        "enable.idempotence": True,
        "acks": "all",
        "message.max.bytes": message_bytes,
        "error_cb": _ignore,
    }


def _ignore(_: KafkaError) -> None:
    """Connection errors show as a failed delivery or a time-out."""


def _subject(event: AnyEvent) -> str:
    match event:
        case ReleaseEvent():
            return event.version
        case GroupUpdated():
            return event.short_id
        case _:
            return event.organization
