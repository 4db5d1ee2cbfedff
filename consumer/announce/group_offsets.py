"""What Kafka has committed for the consumer group: how far each partition is announced."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.settings import Settings

_ALL_SECONDS = 2.0
_ONE_SECONDS = 0.5
_MOST_UNANSWERED = 8


class GroupOffsets:
    """Asks for the committed offsets of the group, from outside of it.

    Not the worker's consumer: a call on that one waits for as long as the main thread polls it, under load without
    end. And not an admin client, which would tell of each partition whether it is decided: librdkafka 2.16 aborts the
    process now and then when such a question times out (its issue 4605).

    Args:
        settings: group and librdkafka properties.
        bootstrap_servers: Kafka.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self._consumer = Consumer(
            {
                # A connection on which an answer is overdue is given up soon: it may have been forgotten on the way.
                "socket.timeout.ms": int(2 * _ALL_SECONDS * 1000),
                **settings.kafka_client(bootstrap_servers),
                "group.id": settings.group_id,
                "enable.auto.commit": False,
                # Then the answer waits for open transactions.
                "isolation.level": "read_committed",
            }
        )

    def stable(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], TopicPartition]:
        """Committed offset and metadata of each partition; the offset is negative where there is none.

        A partition whose offset is part of an open transaction is left out, however old the offset before it is:
        what the group has committed is not decided yet (DESIGN section 2). The same is seen of all while Kafka does
        not answer.

        Args:
            partitions: topics and numbers.

        Raises:
            KafkaException: Kafka refuses.
        """
        found = self._ask(partitions, _ALL_SECONDS)
        if found is None and len(partitions) > 1:
            # One of them is not decided, for which the answer about all of them waits.
            return self._ask_one_by_one(partitions)
        return found or {}

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()

    def _ask_one_by_one(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], TopicPartition]:
        """Committed offsets of those that are decided; where many are not, of some of them, others the next time.

        It must end soon, however many partitions there are: a call that takes too long is taken for one that hangs.
        """
        found: dict[tuple[str, int], TopicPartition] = {}
        unanswered = 0
        for partition in random.sample(partitions, len(partitions)):
            answer = self._ask([partition], _ONE_SECONDS)
            found |= answer or {}
            unanswered += answer is None
            if unanswered == _MOST_UNANSWERED:
                break
        return found

    def _ask(
        self, partitions: Sequence[tuple[str, int]], seconds: float
    ) -> dict[tuple[str, int], TopicPartition] | None:
        """Committed offsets; ``None`` when there is no answer in time."""
        try:
            answer = self._consumer.committed([TopicPartition(*partition) for partition in partitions], timeout=seconds)
        except KafkaException as error:
            if error.args[0].code() in {KafkaError._TIMED_OUT, KafkaError._WAIT_COORD}:  # noqa: SLF001  # public names
                return None
            raise
        for committed in answer:
            if committed.error is not None:
                raise KafkaException(committed.error)
        return {(committed.topic, committed.partition): committed for committed in answer}
