"""Kafka transactions, with one producer after the other, and a watch on calls that do not return."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException, Producer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from confluent_kafka import TopicPartition

_FULL_PAUSE_SECONDS = 0.1


class Transactions:
    """The transactions of one thread; every producer it makes has the same transactional id.

    Args:
        make_producer: makes a transactional producer that is not initialized yet.
        timeout_seconds: of every call; twice as long where a producer is initialized.
    """

    def __init__(self, make_producer: Callable[[], Producer], timeout_seconds: float) -> None:
        self._make_producer = make_producer
        self._seconds = timeout_seconds
        # Nothing else may refer to it, so that it is closed where it is discarded.
        self._producer: Producer | None = None
        self._is_open = False
        self._call: tuple[str, float] | None = None

    @property
    def present_call(self) -> tuple[str, float] | None:
        """What is waited for just now, and for how many seconds; may be asked from any thread."""
        call = self._call
        return None if call is None else (call[0], time.monotonic() - call[1])

    @contextmanager
    def calling(self, what: str) -> Iterator[None]:
        """Say what the thread waits for, while it does."""
        self._call = (what, time.monotonic())
        try:
            yield
        finally:
            self._call = None

    def initialize(self) -> None:
        """Make a producer ready, if none is: Kafka settles what its transactional id left open, and fences others.

        Raises:
            KafkaException: Kafka did not answer, or refused; the next call makes another producer.
        """
        if self._producer is None:
            self._producer = self._make_producer()
            try:
                with self.calling("initializing transactions"):
                    self._producer.init_transactions(self._seconds * 2)
            except KafkaException:
                self.discard()
                raise

    def begin(self) -> None:
        """Begin a transaction with the producer that is ready."""
        self._is_open = True
        self._ready.begin_transaction()

    def produce(self, topic: str, key: bytes | None, value: str, headers: list[tuple[str, str | bytes | None]]) -> None:
        """Add a record to the transaction."""
        while True:
            try:
                self._ready.produce(topic, key=key, value=value, headers=headers)
            except BufferError:
                self._ready.poll(_FULL_PAUSE_SECONDS)
            else:
                return

    def send_offsets(self, offsets: Sequence[TopicPartition], membership: object) -> None:
        """Add offsets of the consumer group to the transaction."""
        with self.calling("sending offsets to the transaction"):
            self._ready.send_offsets_to_transaction(list(offsets), membership, self._seconds)

    def commit(self) -> None:
        """Commit the transaction. After a failure nobody knows whether it was: it may have been the answer."""
        with self.calling("committing a transaction"):
            self._ready.commit_transaction(self._seconds)
        self._is_open = False

    def abort(self) -> None:
        """Abort the transaction, if one is open. Where that fails the producer goes: the next one ends it."""
        if self._producer is not None and self._is_open:
            try:
                with self.calling("aborting a transaction"):
                    self._producer.abort_transaction(self._seconds)
            except KafkaException:
                self.discard()
        self._is_open = False

    def discard(self) -> None:
        """Close the producer; what it left open the next one ends, or the time-out."""
        with self.calling("closing a producer"):
            self._producer = None

    @property
    def _ready(self) -> Producer:
        if self._producer is None:
            message = "transactions are not initialized"
            raise RuntimeError(message)
        return self._producer
