"""Topics: whether they are there, and keep what the promises need them to keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from consumer.errors import UsageError
from consumer.ops.doctor.report import Area
from consumer.settings import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.intake.kafka import Cluster
    from consumer.ops.doctor.kafka import Config, KafkaAdmin
    from consumer.ops.doctor.report import Line
    from consumer.settings import Settings

_DAY_MS = 24 * 3600 * 1000
_SAFE_COPIES = 3


def examine_topics(settings: Settings, cluster: Cluster, admin: KafkaAdmin) -> list[Line]:
    """What is to be said of the four topics."""
    area = Area("topics")
    names = [*settings.topics.inputs, settings.topics.activity, settings.topics.dead_letters]
    found = []
    for name in names:
        try:
            partitions = cluster.topics([name])[name].partitions
        except UsageError as error:
            area.fail(name, "does not exist", str(error).rpartition("; ")[2])
            continue
        area.ok(name, "1 partition" if partitions == 1 else f"{partitions} partitions")
        found.append(name)
    try:
        configs = admin.topic_configs(found) if found else {}
    except KafkaException as error:
        area.warn("configuration", error.args[0].str(), "allow DescribeConfigs on the topics, to have them checked")
        return area.lines
    for name, config in configs.items():
        if name in settings.topics.inputs:
            _examine_input(area, settings, name, config)
        else:
            _examine_output(area, name, config)
        _examine_elections(area, name, config)
    _examine_replicas(area, configs)
    return area.lines


def _examine_input(area: Area, settings: Settings, name: str, config: Config) -> None:
    policy = config["cleanup.policy"]
    area.judge(
        f"{name} cleanup.policy",
        policy,
        fail=""
        if "compact" not in policy
        else "set it to delete: compaction removes all but the last event of a release, applied or not",
    )
    _examine_retention(area, settings, name, int(config["retention.ms"]))
    size, event = int(config["max.message.bytes"]), settings.max_event_bytes
    finding = f"{size}, events may have {event}"
    if size < event:
        area.warn(f"{name} max.message.bytes", finding, f"raise it, or lower {ENV_PREFIX}MAX_EVENT_BYTES")
    elif size > 2 * event:
        remedy = f"lower it, or raise {ENV_PREFIX}MAX_EVENT_BYTES: what lies between becomes dead letters"
        area.warn(f"{name} max.message.bytes", finding, remedy)
    else:
        area.ok(f"{name} max.message.bytes", finding)


def _examine_retention(area: Area, settings: Settings, name: str, kept_ms: int) -> None:
    """Event ids must be kept as long as the topic keeps events: else what is read again is applied again."""
    subject = f"{name} retention.ms"
    ids = settings.event_id_retention_days
    if kept_ms < 0:
        area.warn(
            subject,
            f"events are kept for ever, their ids for {ids} days",
            "older events that come again under their ids are applied again; give the topic a retention.ms, or raise"
            f" {ENV_PREFIX}EVENT_ID_RETENTION_DAYS",
        )
    elif kept_ms > ids * _DAY_MS:
        area.fail(
            subject,
            f"events are kept for {kept_ms / _DAY_MS:.1f} days, their ids for {ids} only",
            f"set {ENV_PREFIX}EVENT_ID_RETENTION_DAYS to {-(-kept_ms // _DAY_MS)} or more",
        )
    elif kept_ms < _DAY_MS:
        area.warn(
            subject,
            f"events are kept for {kept_ms / _DAY_MS:.2f} days",
            "lengthen it: what was not applied by then is lost",
        )
    else:
        area.ok(subject, f"events are kept for {kept_ms / _DAY_MS:.1f} days, their ids for {ids}")


def _examine_output(area: Area, name: str, config: Config) -> None:
    policy = config["cleanup.policy"]
    area.judge(
        f"{name} cleanup.policy",
        policy,
        warn=""
        if "compact" not in policy
        else "set it to delete: compaction removes all but the last announcement of a key, read or not",
    )


def _examine_elections(area: Area, name: str, config: Config) -> None:
    if config.get("unclean.leader.election.enable") == "true":
        area.warn(
            f"{name} unclean.leader.election.enable",
            "true: a broker that lags behind may take over, and what it lacks is lost",
            "set it to false",
        )


def _examine_replicas(area: Area, configs: Mapping[str, Config]) -> None:
    """One line for all topics: it is one decision about the cluster."""
    alone = [name for name, config in configs.items() if int(config.get("min.insync.replicas", 1)) == 1]
    if alone:
        area.warn(
            "min.insync.replicas",
            f"1: an event counts as sent when one broker has it: {', '.join(alone)}",
            f"on a cluster of {_SAFE_COPIES} brokers or more: {_SAFE_COPIES} replicas, and 2 in sync",
        )
