"""Settings: what contradicts, what has no effect, what is dangerous."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from consumer.errors import SettingsError
from consumer.ops.doctor.report import Area
from consumer.settings import ENV_PREFIX, load_settings, unknown_variables

if TYPE_CHECKING:
    from consumer.ops.doctor.report import Line
    from consumer.settings import Settings

_SET_BY_SETTINGS = {
    "max.poll.interval.ms": "MAX_POLL_INTERVAL_SECONDS",
    "session.timeout.ms": "SESSION_TIMEOUT_SECONDS",
    "heartbeat.interval.ms": "SESSION_TIMEOUT_SECONDS",
    "queued.max.messages.kbytes": "PREFETCH_BYTES",
    "fetch.message.max.bytes": "MAX_EVENT_BYTES",
    "group.instance.id": "INSTANCE_ID",
    "group.protocol": "GROUP_PROTOCOL",
    "transaction.timeout.ms": "TRANSACTION_TIMEOUT_SECONDS",
    "message.timeout.ms": "TRANSACTION_TIMEOUT_SECONDS",
}
"""librdkafka properties that a worker overrides, with the setting that is meant for them."""


def examine_settings() -> tuple[Settings | None, list[Line]]:
    """The settings, if they can be used, and what is to be said of them."""
    area = Area("settings")
    for variable, nearest in unknown_variables():
        meant = f"write {nearest}" if nearest else "remove it; `release-consumer settings` lists all"
        area.warn(variable, "is no setting and has no effect", meant)
    try:
        settings = load_settings()
    except SettingsError as error:
        area.fail("values", str(error), "correct what is named, then run this command again")
        return None, area.lines
    area.ok("values", "all in range, no contradictions")
    _properties(area, settings)
    _contradictions(area, settings)
    return settings, area.lines


def _properties(area: Area, settings: Settings) -> None:
    for name in sorted(settings.kafka_properties.keys() & _SET_BY_SETTINGS.keys()):
        area.warn(f"kafka {name}", "has no effect on a worker", f"set {ENV_PREFIX}{_SET_BY_SETTINGS[name]} instead")
    try:
        AdminClient(settings.kafka_client("localhost:1"))
    except KafkaException as error:
        area.fail("kafka properties", error.args[0].str(), f"correct or remove the {ENV_PREFIX}KAFKA__ variable")


def _contradictions(area: Area, settings: Settings) -> None:
    if settings.failpoint is not None:
        area.warn("failpoint", f"workers kill themselves at {settings.failpoint}", f"unset {ENV_PREFIX}FAILPOINT")
    if settings.max_event_bytes > settings.prefetch_bytes:
        area.warn(
            "prefetch_bytes",
            f"an event may have {settings.max_event_bytes} bytes, more than the {settings.prefetch_bytes} held ready",
            f"raise {ENV_PREFIX}PREFETCH_BYTES, or memory grows beyond it now and then",
        )
    if settings.drain_timeout_seconds < settings.transaction_timeout_seconds:
        area.warn(
            "drain_timeout_seconds",
            f"{settings.drain_timeout_seconds:g} s is less than the {settings.transaction_timeout_seconds:g} s that an"
            " announcing transaction may take",
            f"raise {ENV_PREFIX}DRAIN_TIMEOUT_SECONDS, or a stop under load ends with exit code 3",
        )
    if settings.missing_offsets == "skip":
        area.warn(
            "missing_offsets",
            "events that Kafka removed before they were applied are skipped, and counted as lost",
            f"unset {ENV_PREFIX}MISSING_OFFSETS once the loss is accepted, so that the next one is noticed",
        )
    if settings.halt_ratio >= 1:
        area.warn(
            "halt_ratio",
            "a run of dead letters never halts a worker",
            f"lower {ENV_PREFIX}HALT_RATIO, or a bad publisher empties the topic into dead letters",
        )
