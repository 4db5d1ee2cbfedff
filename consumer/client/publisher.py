"""The publisher: hands events to Kafka and does not let go before they are confirmed."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from confluent_kafka import KafkaError, KafkaException, Producer

from consumer.client.catalog_events import CatalogEvents
from consumer.client.records import to_record
from consumer.client.release_events import ReleaseEvents
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from consumer.errors import ServiceUnavailable, UsageError
from consumer.services import resolve_service

if TYPE_CHECKING:
    from types import TracebackType

    from confluent_kafka import Message

    from consumer.client.making import Document
    from consumer.client.records import OutgoingRecord
    from consumer.settings import Settings

# Room for key, headers and framing beside the value of the largest event.
_OVERHEAD_BYTES = 64 * 1024
_DELIVERY_SECONDS = 60.0
_POLL_SECONDS = 0.1
_NAMED_IDS = 3


class Publisher(ReleaseEvents[str], CatalogEvents[str]):
    """Publishes CloudEvents in structured mode; use it as a context manager.

    Entering it makes sure that Kafka answers and has the topics; leaving it waits until Kafka has confirmed all
    events. An error inside the block drops what was not sent yet.

    Each event type has a method of its own, such as ``release_created``, which returns the id of the event;
    ``publish`` takes any event as a document. What Kafka refuses for the moment is sent again, with growing pauses, for
    ``delivery.timeout.ms`` (a minute, unless ``settings`` name another); repeats of the client leave no second copy.

    Args:
        settings: topics, largest event, time-outs, and any librdkafka property (``settings.kafka_properties``).
        bootstrap_servers: the Kafka servers, ``host:port``, comma separated; ``None``: those of the settings, else
            those of the stack in ``settings.stack_data``, as for every command.
        source: who publishes: ``source`` of the events that the typed methods make, a URI reference.

    Attributes:
        delivered: how many events Kafka has confirmed, by topic.

    Raises:
        UsageError: no Kafka server is named, and none of a stack is up.
        KafkaException: a librdkafka property is refused.

    Example:
        >>> with Publisher(load_settings(), source="ci:example/web") as publisher:  # doctest: +SKIP
        ...     publisher.release_created(organization="acme", version="web@1.4.0", projects=["web"])
        '0b3d8f0e-6d7c-5b0e-8c53-0e3c62b8a1f4'
    """

    def __init__(self, settings: Settings, bootstrap_servers: str | None = None, *, source: str = "publisher") -> None:
        super().__init__(source)
        servers = bootstrap_servers or resolve_service(settings, "kafka")
        self.delivered: Counter[str] = Counter()
        self._settings = settings
        self._servers = servers
        self._failure: KafkaError | None = None
        self._refused: list[str] = []
        self._producer = Producer(_configuration(settings, servers))

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

    def publish(self, document: Document) -> str:
        """Validate an event and hand it to the Kafka client, which sends it in the background.

        Events of one record key keep their order.

        Args:
            document: the CloudEvent in structured form, as ``json.loads`` returns it.

        Returns:
            The id of the event.

        Raises:
            InvalidEvent: the event breaks the contract or is larger than ``settings.max_event_bytes``.
            ServiceUnavailable: an event given earlier could not be delivered.

        Example:
            >>> publisher.publish(json.loads(line))  # doctest: +SKIP
            '1'
        """
        record = to_record(document, self._settings)
        id_ = str(document["id"])
        while not self._enqueue(record, id_):
            self._producer.poll(_POLL_SECONDS)
        self._producer.poll(0)
        self._raise_refused()
        return id_

    def flush(self) -> None:
        """Wait until Kafka has confirmed or refused every event given so far.

        Raises:
            ServiceUnavailable: Kafka did not take some, for about a minute at most; names their ids. They may be
                published again, under the same ids, by this publisher or another.
        """
        # Ends: every event is confirmed or refused within the delivery time-out.
        while len(self._producer):
            self._producer.poll(_POLL_SECONDS)
        self._raise_refused()

    def _take(self, document: Document) -> str:
        return self.publish(document)

    def _enqueue(self, record: OutgoingRecord, id_: str) -> bool:
        """Hand a record to the client; ``False`` while its queue is full."""
        try:
            self._producer.produce(
                record.topic,
                record.value,
                record.key,
                headers={CONTENT_TYPE: STRUCTURED_JSON},
                on_delivery=partial(self._settle, id_),
            )
        except BufferError:
            return False
        except KafkaException as error:
            self._refuse(id_, error.args[0])
        return True

    def _settle(self, id_: str, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.delivered[str(message.topic())] += 1
        else:
            self._refuse(id_, error)

    def _refuse(self, id_: str, error: KafkaError) -> None:
        self._failure = self._failure or error
        self._refused.append(id_)

    def _raise_refused(self) -> None:
        if self._failure is None:
            return
        failure, refused = self._failure, self._refused
        self._failure, self._refused = None, []
        named = ", ".join(refused[:_NAMED_IDS]) + (", ..." if len(refused) > _NAMED_IDS else "")
        events = "an event" if len(refused) == 1 else f"{len(refused)} events"
        if failure.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            remedy = "raise max.message.bytes of the topic"
        else:
            remedy = "see that it runs, and publish again: what arrived is not applied twice"
        msg = f"Kafka at {self._servers} did not take {events} (id {named}): {failure.str()}; {remedy}"
        raise ServiceUnavailable(msg)


def _configuration(settings: Settings, bootstrap_servers: str) -> dict[str, Any]:
    message_bytes = settings.max_event_bytes + _OVERHEAD_BYTES
    return {
        "compression.type": "zstd",
        # Keys land in the partitions where the Java client puts them.
        "partitioner": "murmur2_random",
        "linger.ms": 5,
        "delivery.timeout.ms": int(_DELIVERY_SECONDS * 1000),
        "queue.buffering.max.kbytes": max(64 * 1024, 2 * message_bytes // 1024),
        **settings.kafka_client(bootstrap_servers, is_polled=True),
        "enable.idempotence": True,
        "acks": "all",
        "message.max.bytes": message_bytes,
    }
