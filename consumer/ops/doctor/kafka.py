"""Kafka: whether it answers, what it can, and whether its limits fit the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from consumer.ops.doctor.report import Area
from consumer.settings import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.ops.doctor.report import Line
    from consumer.settings import Settings

Config = dict[str, str]
"""Names and values of a broker's or topic's configuration."""

TIMEOUT_SECONDS = 10.0
_MILLISECONDS = 1000

# Kafka does not tell clients its version, but a configuration it has came with one.
_SINCE = (
    ("share.coordinator.threads", "4.0 or newer"),
    ("group.coordinator.rebalance.protocols", "3.7 or newer"),
    ("group.consumer.session.timeout.ms", "3.6 or newer"),
)


class KafkaAdmin:
    """Questions about configurations.

    Args:
        settings: librdkafka properties.
        bootstrap_servers: Kafka.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str) -> None:
        self._admin = AdminClient(settings.kafka_client(bootstrap_servers))

    def brokers(self) -> list[str]:
        """Ids of the brokers.

        Raises:
            KafkaException: Kafka does not answer.
        """
        # Not describe_cluster, which aborts the process where Kafka names no broker.
        return [str(broker) for broker in self._admin.list_topics(timeout=TIMEOUT_SECONDS).brokers]

    def broker_config(self, broker: str) -> Config:
        """The configuration of a broker."""
        return self._configs(ResourceType.BROKER, [broker])[broker]

    def topic_configs(self, names: list[str]) -> dict[str, Config]:
        """The configurations of topics that exist."""
        return self._configs(ResourceType.TOPIC, names)

    def group_members(self, group_id: str) -> int:
        """How many workers are in the group now."""
        (future,) = self._admin.describe_consumer_groups([group_id], request_timeout=TIMEOUT_SECONDS).values()
        try:
            return len(future.result().members)
        except KafkaException as error:
            if error.args[0].name() == "GROUP_ID_NOT_FOUND":
                return 0
            raise

    def _configs(self, kind: ResourceType, names: list[str]) -> dict[str, Config]:
        futures = self._admin.describe_configs(
            [ConfigResource(kind, name) for name in names], request_timeout=TIMEOUT_SECONDS
        )
        return {
            resource.name: {name: str(entry.value) for name, entry in future.result().items()}
            for resource, future in futures.items()
        }


def examine_kafka(settings: Settings, admin: KafkaAdmin, brokers: list[str]) -> list[Line]:
    """What is to be said of the cluster.

    Args:
        settings: group protocol and time-outs.
        admin: asks.
        brokers: ids of the brokers.
    """
    area = Area("kafka")
    area.ok("connection", f"{len(brokers)} {'broker' if len(brokers) == 1 else 'brokers'}")
    try:
        config = admin.broker_config(brokers[0])
    except KafkaException as error:
        area.warn(
            "configuration", error.args[0].str(), "allow DescribeConfigs on the cluster, to have its limits checked"
        )
        return area.lines
    _version(area, config)
    _protocol(area, settings, config)
    _timeouts(area, settings, config)
    if config.get("auto.create.topics.enable") == "true":
        area.warn(
            "auto.create.topics.enable",
            "a misspelt topic is created instead of refused",
            "set it to false on the brokers",
        )
    return area.lines


def _version(area: Area, config: Mapping[str, str]) -> None:
    told = config.get("inter.broker.protocol.version")
    since = next((words for name, words in _SINCE if name in config), None)
    if since is None:
        area.fail("version", told or "older than 3.6", "use Kafka 3.6 or newer")
    else:
        area.ok("version", f"{since}{f' (protocol {told})' if told else ''}")


def _protocol(area: Area, settings: Settings, config: Mapping[str, str]) -> None:
    supported = config.get("group.coordinator.rebalance.protocols", "classic").split(",")
    area.judge(
        "group protocol",
        f"{settings.group_protocol}, of {', '.join(supported)}",
        fail=""
        if settings.group_protocol in supported
        else f"set {ENV_PREFIX}GROUP_PROTOCOL to classic, or use Kafka 4",
    )


def _timeouts(area: Area, settings: Settings, config: Mapping[str, str]) -> None:
    if settings.group_protocol == "classic":
        least = int(config.get("group.min.session.timeout.ms", 0)) / _MILLISECONDS
        most = int(config.get("group.max.session.timeout.ms", settings.session_timeout_seconds * _MILLISECONDS))
        fits = least <= settings.session_timeout_seconds <= most / _MILLISECONDS
        area.judge(
            "session time-out",
            f"{settings.session_timeout_seconds:g} s, the brokers allow {least:g} to {most / _MILLISECONDS:g} s",
            fail="" if fits else f"set {ENV_PREFIX}SESSION_TIMEOUT_SECONDS to what they allow",
        )
    most_transaction = int(config.get("transaction.max.timeout.ms", 900_000)) / _MILLISECONDS
    area.judge(
        "transaction time-out",
        f"{settings.transaction_timeout_seconds:g} s, the brokers allow {most_transaction:g} s",
        fail=""
        if settings.transaction_timeout_seconds <= most_transaction
        else f"lower {ENV_PREFIX}TRANSACTION_TIMEOUT_SECONDS",
    )
