"""The transactional Kafka producer of a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Producer

if TYPE_CHECKING:
    from consumer.settings import Settings


def make_producer(settings: Settings, bootstrap_servers: str) -> Producer:
    """Make the producer of announcements; its transactions are not initialized yet.

    A stable instance id makes a restarted worker fence its predecessor at once; without one, a transaction that a
    crash left open ends by its time-out.

    Args:
        settings: group, instance, time-outs and librdkafka properties.
        bootstrap_servers: Kafka.
    """
    milliseconds = int(settings.transaction_timeout_seconds * 1000)
    return Producer(
        {
            "linger.ms": 5,
            # A transaction that begins right after another is refused for some milliseconds; 100, the default, is long.
            "retry.backoff.ms": 5,
            "compression.type": "lz4",
            # As much as the topics take (``Cluster.create_missing_topics``): what Kafka's client refuses would hold up
            # all announcements behind it for ever. A batch makes none that is larger.
            "message.max.bytes": settings.max_message_bytes,
            **settings.kafka_client(bootstrap_servers),
            "transactional.id": f"{settings.group_id}-{settings.instance_name}",
            "transaction.timeout.ms": milliseconds,
            "message.timeout.ms": milliseconds,
            "partitioner": "murmur2_random",
        }
    )
