"""A backlog that appears all at once, and the moment when all of it is announced.

The events are sent in one Kafka transaction. A worker reads committed data only, so it sees none of them before the
transaction commits: the clock starts just before that, with a worker that is up, warm and idle. It stops when the
group's committed offsets cover the last event: they move in the Kafka transaction of the announcements, so then all is
applied in PostgreSQL and announced on Kafka (docs/protocol.md).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from consumer.client.records import to_record
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from consumer.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluent_kafka import Message

    from consumer.client import Document
    from consumer.settings import Settings

Ends = dict[tuple[str, int], int]
"""Partition -> the offset after its last event."""

_KAFKA_SECONDS = 30.0
_TRANSACTION_SECONDS = 600
_PATIENCE_SECONDS = 120.0
_LOOKS = 8
_SHORTEST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25


class Backlog:
    """Sends events to the topics of one place, and watches the worker's group there.

    Args:
        settings: servers, topics and group.
        is_alive: raises when there is nobody any more who could make progress.
    """

    def __init__(self, settings: Settings, is_alive: Callable[[], None]) -> None:
        client = settings.kafka_client(settings.kafka_bootstrap_servers or "")
        self._settings = settings
        self._is_alive = is_alive
        self._ends: Ends = {}
        self._failure: KafkaError | None = None
        # It never joins. What it is told are offsets of settled transactions.
        self._group = Consumer({**client, "group.id": settings.group_id, "isolation.level": "read_uncommitted"})
        self._producer = Producer(
            {
                **client,
                "log_level": 0,  # errors are raised, not printed
                "transactional.id": f"{settings.group_id}-backlog",
                "transaction.timeout.ms": _TRANSACTION_SECONDS * 1000,
                "partitioner": "murmur2_random",
                "compression.type": "zstd",
                "linger.ms": 20,
                "message.max.bytes": settings.max_event_bytes,
            }
        )
        self._producer.init_transactions(_KAFKA_SECONDS)

    def close(self) -> None:
        """Disconnect from Kafka's group coordinator."""
        self._group.close()

    def run(self, documents: Sequence[Document]) -> float:
        """Send events and wait until all are announced.

        Returns:
            seconds from the commit of the backlog on.

        Raises:
            ServiceUnavailable: Kafka refused an event, or the worker made no progress for two minutes.
        """
        begun = self.send(documents)
        self._wait(len(documents), begun)
        return time.perf_counter() - begun

    def send(self, documents: Sequence[Document]) -> float:
        """Send events; returns the time (of ``perf_counter``) just before they became visible, all at once.

        Raises:
            ServiceUnavailable: Kafka refused an event; none is visible.
        """
        with self._transaction():
            for document in documents:
                self._send(document)
            self._producer.flush(_TRANSACTION_SECONDS)
            if self._failure is not None:
                raise ServiceUnavailable(self._failure.str())
            return time.perf_counter()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._producer.begin_transaction()
        try:
            yield
        except BaseException:
            self._producer.abort_transaction(_KAFKA_SECONDS)
            raise
        self._producer.commit_transaction(_KAFKA_SECONDS)

    def _send(self, document: Document) -> None:
        record = to_record(document, self._settings)
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    headers={CONTENT_TYPE: STRUCTURED_JSON},
                    on_delivery=self._note_end,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _note_end(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failure = error
            return
        partition = (str(message.topic()), int(message.partition() or 0))
        self._ends[partition] = max(self._ends.get(partition, 0), int(message.offset() or 0) + 1)

    def _wait(self, count: int, begun: float) -> None:
        """Look rarely while much is left, so that looking takes nothing from the worker, and often in the end."""
        left = self._left()
        moved = time.perf_counter()
        while left:
            done = max(1, count - left)
            remaining = (time.perf_counter() - begun) * left / done
            # Kafka tells nobody that offsets were committed.
            time.sleep(min(_LONGEST_PAUSE_SECONDS, max(_SHORTEST_PAUSE_SECONDS, remaining / _LOOKS)))
            self._is_alive()
            before, left = left, self._left()
            if left != before:
                moved = time.perf_counter()
            elif time.perf_counter() - moved > _PATIENCE_SECONDS:
                message = f"no progress in {_PATIENCE_SECONDS:.0f} s; {left} events are not announced"
                raise ServiceUnavailable(message)

    def _left(self) -> int:
        """How many offsets are not announced yet; while Kafka cannot tell, all."""
        try:
            answer = self._group.committed([TopicPartition(*one) for one in self._ends], timeout=_KAFKA_SECONDS)
        except KafkaException:  # its coordinator is on its way
            return sum(self._ends.values())
        committed = {(str(p.topic), p.partition): max(0, p.offset) for p in answer}
        return sum(max(0, end - committed[partition]) for partition, end in self._ends.items())
