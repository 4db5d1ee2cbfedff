"""The reader: from Kafka to batches that are ready to apply.

It holds the consumer, the assignment and what was fetched and not yet put into a batch. Only the main thread calls
it: librdkafka's batch call must not race with ``seek`` and ``pause`` (DESIGN section 6).
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumer import failpoints
from consumer.errors import ServiceUnavailable
from consumer.intake.assignment import Assignment, Partition
from consumer.intake.batch import Batch, FindKnown, make_batch
from consumer.intake.kafka import end_of_partition, to_record
from consumer.store.streams import Advance, Stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.contracts.records import Record
    from consumer.settings import Settings

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_POLL_WHILE_BUSY_SECONDS = 0.02

# A fatal error does not always say that it is one.
_REFUSALS = frozenset({KafkaError._FATAL, KafkaError._AUTO_OFFSET_RESET})  # noqa: SLF001  # their public names


class Reader:
    """Reads the claimed partitions of one worker.

    Args:
        settings: sizes of batches.
        consumer: Kafka consumer, not subscribed yet.
        find_known: tells which event ids were seen before, as ``make_batch`` asks for it.
    """

    def __init__(self, settings: Settings, consumer: Consumer, find_known: FindKnown) -> None:
        self._settings = settings
        self._consumer = consumer
        self._find_known = find_known
        self._records: deque[Record] = deque()
        self._paused = False
        self.assignment = Assignment()

    @property
    def is_empty(self) -> bool:
        """Whether everything fetched is in batches."""
        return not self._records

    def read(self, *, is_busy: bool) -> Batch | None:
        """Wait a moment for records, and make a batch of what is there.

        Args:
            is_busy: whether there is something else to do, so that the moment must be short.

        Raises:
            ServiceUnavailable: Kafka refused this worker for good.
        """
        if not self._records:
            is_busy = is_busy or bool(self.assignment.seeking())
            self._take(self._consumer.poll(_POLL_WHILE_BUSY_SECONDS if is_busy else _POLL_SECONDS))
            if self._records:
                # What is there already is there at once; waiting for a full batch would cost time.
                for message in self._consumer.consume(self._settings.batch_size - 1, 0):
                    self._take(message)
        records: list[tuple[Stream, Record]] = []
        starts: dict[int, int] = {}
        size = 0
        while self._records and len(records) < self._settings.batch_size and size < self._settings.batch_bytes:
            record = self._records.popleft()
            assigned = self.assignment.assigned.get((record.topic, record.partition))
            if assigned is None or assigned.stream is None or assigned.must_seek or record.offset < assigned.position:
                continue
            starts.setdefault(assigned.stream.id, assigned.position)
            records.append((assigned.stream, record))
            assigned.position = record.offset + 1
            size += len(record.value or b"")
        if not records:
            return None
        failpoints.reach("after-poll")
        return make_batch(records, starts, self._settings, self._find_known)

    def poll_paused(self) -> None:
        """Stay in the group while a batch takes its time: poll, but take nothing more."""
        if not self._paused:
            self.pause(a.partition for a in self.assignment.claimed())
            self._paused = True
        self._take(self._consumer.poll(0))

    def resume(self) -> None:
        """The batch has ended: take more."""
        if self._paused:
            self._paused = False
            self._consumer.resume([TopicPartition(*a.partition) for a in self.assignment.claimed()])

    def pass_empty_offsets(self) -> Batch | None:
        """Offsets at the end of a partition that no record fills: marks of transactions."""
        advances = []
        # Kafka's client is at the end of a partition, but its last records may be here still.
        fetched = {(record.topic, record.partition) for record in self._records}
        for assigned in self.assignment.claimed():
            stream = assigned.stream
            if stream is None or assigned.partition in fetched:
                continue
            if assigned.end_of_partition > assigned.position == stream.next_offset:
                advances.append(Advance(stream, stream.next_offset, assigned.end_of_partition))
                assigned.position = assigned.end_of_partition
        return Batch([], advances) if advances else None

    def assign(self, partitions: Iterable[Partition]) -> None:
        """The group gave partitions: nothing is read before their positions in PostgreSQL are known."""
        partitions = list(partitions)
        self.assignment.add(partitions)
        self._consumer.incremental_assign([TopicPartition(*p, OFFSET_BEGINNING) for p in partitions])
        self.pause(partitions)

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Fetch nothing of these partitions for now."""
        self._consumer.pause([TopicPartition(topic, number) for topic, number in partitions])

    def seek(self) -> None:
        """Let Kafka's client read from the positions of partitions; what it fetched before is dropped."""
        for assigned in self.assignment.seeking():
            self.drop({assigned.partition})
            place = TopicPartition(*assigned.partition, assigned.position)
            try:
                self._consumer.seek(place)
            except KafkaException as error:
                if error.args[0].code() != KafkaError._STATE:  # noqa: SLF001  # its public name
                    raise
                # Assigned a moment ago and not started yet: the next turn tries again.
                continue
            assigned.must_seek = False
            self._consumer.resume([place])

    def drop(self, partitions: set[Partition]) -> None:
        """Drop what was fetched of these partitions."""
        self._records = deque(r for r in self._records if (r.topic, r.partition) not in partitions)

    def read_again(self, batch: Batch, but: set[Partition]) -> None:
        """A batch that was not applied is dropped: its partitions are read again, but for those given.

        It does not seek: inside a callback ``consume`` may hold records of the others in its hand. They would come
        after the seek, pass for what follows the new position, and what lies between would be lost.
        """
        begun = {advance.stream.id: advance.expected for advance in batch.advances}
        for assigned in self.assignment.claimed():
            if assigned.stream is not None and assigned.stream.id in begun and assigned.partition not in but:
                assigned.read_from(begun[assigned.stream.id])

    def _take(self, message: Message | None) -> None:
        """Keep a message, or see to what Kafka reports in its place."""
        if message is None:
            return
        error = message.error()
        if error is None:
            self._records.append(to_record(message))
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
            partition, end = end_of_partition(message)
            assigned = self.assignment.assigned.get(partition)
            if assigned is not None and not assigned.must_seek:
                assigned.end_of_partition = end
        elif error.fatal() or error.code() in _REFUSALS:
            text = f"Kafka refuses this worker: {error.str()}; run `release-consumer run` again"
            raise ServiceUnavailable(text)
        else:
            log.warning("Kafka: %s", error.str())
