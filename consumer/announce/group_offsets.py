"""What Kafka has committed for the consumer group: how far each partition is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.settings import Settings

_TIMEOUT_SECONDS = 5.0
_GRACE_SECONDS = 1.0


class GroupOffsets:
    """Asks for the committed offsets of the group, from outside of it.

    Not the worker's consumer: a call on that one waits for as long as the main thread polls it, under load without
    end. And not any consumer: its ``committed`` waits for all partitions asked for, so that one with an open
    transaction would hold back the others.

    Args:
        settings: group and librdkafka properties.
        bootstrap_servers: Kafka.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self._group_id = settings.group_id
        # A connection on which an answer is overdue is given up in time for a second attempt.
        impatient = {"socket.timeout.ms": int(_TIMEOUT_SECONDS * 500)}
        self._admin = AdminClient({**impatient, **settings.kafka_client(bootstrap_servers)})

    def stable(self, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], TopicPartition]:
        """Committed offset and metadata of each partition; the offset is negative where there is none.

        A partition whose offset is part of an open transaction is left out, however old the offset before it is:
        what the group has committed is not decided yet (DESIGN section 2).

        Args:
            partitions: topics and numbers.

        Raises:
            KafkaException: Kafka does not answer within 5 s, or refuses.
        """
        asked = ConsumerGroupTopicPartitions(self._group_id, [TopicPartition(*partition) for partition in partitions])
        (future,) = self._admin.list_consumer_group_offsets(
            [asked], require_stable=True, request_timeout=_TIMEOUT_SECONDS
        ).values()
        try:
            answer = future.result(_TIMEOUT_SECONDS + _GRACE_SECONDS)
        except TimeoutError:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT)) from None  # noqa: SLF001  # its public name
        found = {}
        for committed in answer.topic_partitions:
            if committed.error is None:
                found[committed.topic, committed.partition] = committed
            elif committed.error.code() != KafkaError.UNSTABLE_OFFSET_COMMIT:
                raise KafkaException(committed.error)
        return found
