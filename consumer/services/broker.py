"""Properties of a one-node Kafka broker that every provider of the stack sets alike."""

from __future__ import annotations

# Room for an event of 20 MiB with its headers and the framing of its batch.
_MESSAGE_BYTES = str(24 * 1024 * 1024)

PROPERTIES = {
    # One node: nothing can be replicated.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Few partitions of the internal topics: quick to create, quick to load.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    # A group starts, and a dead member is noticed, within seconds.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "6000",
    "group.consumer.min.session.timeout.ms": "6000",
    "group.consumer.session.timeout.ms": "10000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    "group.consumer.heartbeat.interval.ms": "1000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # A broker that was killed may come back once its old session is over.
    "broker.session.timeout.ms": "5000",
    "broker.heartbeat.interval.ms": "1000",
    # A misspelt topic is an error, not a new topic.
    "auto.create.topics.enable": "false",
    "message.max.bytes": _MESSAGE_BYTES,
    "replica.fetch.max.bytes": _MESSAGE_BYTES,
}


def one_node(*, controller: str, data: str) -> dict[str, str]:
    """Properties of a broker that is its own controller; its listeners are still to be set.

    Args:
        controller: ``host:port`` that the controller listens on.
        data: folder of the log segments.
    """
    node = "1"
    return {
        **PROPERTIES,
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": f"{node}@{controller}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": data,
    }


def environment(properties: dict[str, str]) -> dict[str, str]:
    """Properties the way the image ``apache/kafka`` takes them: ``KAFKA_`` variables."""
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
