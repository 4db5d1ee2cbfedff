"""The catalogue of settings: every setting with its type, default and meaning.

Settings come from options of a command, the environment, or a ``.env`` file, in this order. All are validated
together when a command starts; a value out of range or a contradiction is refused with the remedy. A variable that
looks like one of these but is none is told on the logger ``consumer.settings`` and has no effect.
"""

from __future__ import annotations

import logging
import os
import re
import socket
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from consumer.errors import SettingsError
from consumer.kafka_news import KafkaNews

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

log = logging.getLogger(__name__)

ENV_PREFIX = "RELEASE_CONSUMER_"
ENV_FILE = ".env"

# librdkafka's log levels.
_LOG_WARNINGS = 4
_LOG_EMERGENCIES = 0

_MESSAGE_OVERHEAD_BYTES = 1024 * 1024
_MOST_MESSAGE_BYTES = 1_000_000_000
"""The most that librdkafka takes."""

_NESTED = frozenset({"TOPICS", "KAFKA"})
"""Settings that hold others; as one variable each they are JSON."""

_TOPIC_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")

# librdkafka properties that hold the guarantees together; setting them would undo exactly-once (DESIGN 1, 2).
RESERVED_KAFKA_PROPERTIES = frozenset(
    {
        "bootstrap.servers",
        "group.id",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "isolation.level",
        "auto.offset.reset",
        "enable.partition.eof",
        "transactional.id",
        "enable.idempotence",
        "partitioner",
    }
)


def _topic_name(name: str) -> str:
    if not _TOPIC_NAME.fullmatch(name):
        msg = f"must be a name that Kafka takes: up to 249 letters, digits, '.', '_' and '-', got {name!r}"
        raise ValueError(msg)
    return name


TopicName = Annotated[str, AfterValidator(_topic_name)]


class Topics(BaseModel):
    """Names of the Kafka topics."""

    release_events: TopicName = Field(
        "release-events", description="topic of release events, keyed organization:version"
    )
    catalog_events: TopicName = Field("catalog-events", description="topic of catalog events, keyed by organization")
    activity: TopicName = Field("activity", description="topic that activities are announced on")
    dead_letters: TopicName = Field("dead-letters", description="topic that dead letters are announced on")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [self.release_events, self.catalog_events, self.activity, self.dead_letters]
        if len(set(names)) != len(names):
            msg = f"must be four different names, got {', '.join(names)}"
            raise ValueError(msg)
        return self

    @property
    def inputs(self) -> list[str]:
        """The topics that the consumer reads."""
        return [self.release_events, self.catalog_events]


class Settings(BaseSettings):
    """All settings of the package; see the description of each field."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        env_file=ENV_FILE,
        extra="ignore",
        frozen=True,
    )

    kafka_bootstrap_servers: str | None = Field(None, description="Kafka servers, host:port, comma separated")
    database_url: str | None = Field(None, description="PostgreSQL, postgresql://user:password@host:port/name")
    redis_url: str | None = Field(None, description="Redis, redis://host:port/db")
    kafka: dict[str, str] = Field(
        default_factory=dict, description="any librdkafka property, as KAFKA__<property with _ for .>"
    )

    group_id: str = Field("release-consumer", min_length=1, description="Kafka consumer group")
    group_protocol: Literal["classic", "consumer"] = Field(
        "classic", description="group protocol: classic (cooperative-sticky) or consumer (KIP-848, Kafka 4)"
    )
    instance_id: str | None = Field(
        None, min_length=1, description="stable name of this worker; lets a restart fence its predecessor at once"
    )
    topics: Topics = Field(default_factory=Topics)
    topic_partitions: int = Field(6, ge=1, le=10_000, description="partitions of the topics that setup creates")
    catalog_partitions: int = Field(
        2,
        ge=1,
        le=10_000,
        description="partitions of the topic of catalog events that setup creates; it has less to carry",
    )
    topic_replication_factor: int = Field(
        -1, ge=-1, description="replication of these topics; -1: the broker's default"
    )

    batch_size: int = Field(1000, ge=1, le=100_000, description="records of one transaction, at most")
    batch_bytes: int = Field(
        5 * 1024 * 1024,
        ge=1024,
        description="bytes of the records of one transaction, at most (one record may exceed)",
    )
    max_event_bytes: int = Field(
        20 * 1024 * 1024, ge=1024, description="bytes of one event; a larger one becomes a dead letter"
    )
    prefetch_bytes: int = Field(
        20 * 1024 * 1024, ge=1024 * 1024, description="bytes that the Kafka client holds ready, at most"
    )

    retry_base_seconds: float = Field(0.5, gt=0, description="first pause before a failed attempt is repeated")
    retry_max_seconds: float = Field(30.0, gt=0, description="longest pause between attempts")
    parking_attempts: int = Field(12, ge=1, description="attempts of a parked event before it is a dead letter")
    halt_window: int = Field(1000, ge=1, description="last events among which dead letters are counted")
    halt_dead_letters: int = Field(100, ge=1, description="dead letters among them below which a worker never halts")
    halt_ratio: float = Field(
        0.5, ge=0, le=1, description="share of dead letters above which a worker halts (exit 4); 1 never halts"
    )
    missing_offsets: Literal["stop", "skip"] = Field(
        "stop",
        description="when Kafka's retention removed events that were never applied: stop, or skip and count them",
    )
    stall_seconds: float = Field(
        60.0, gt=0, description="work without progress for so long makes a worker not ready (/readyz)"
    )
    event_id_retention_days: int = Field(
        14, ge=1, description="how long ids of events are kept; no shorter than the input topics keep events"
    )
    dead_letter_retention_days: int = Field(
        90, ge=1, description="how long dead letters are kept after they died, or were replayed or discarded"
    )
    statement_timeout_seconds: float = Field(
        30.0, ge=1, description="longest time of one PostgreSQL statement of a worker"
    )
    startup_timeout_seconds: float = Field(60.0, gt=0, description="how long to wait at start for the services")
    drain_timeout_seconds: float = Field(
        25.0, gt=0, description="how long SIGTERM may take before it is forced (exit 3)"
    )
    session_timeout_seconds: float = Field(10.0, ge=6, description="silence after which the group expels this worker")
    max_poll_interval_seconds: float = Field(300.0, ge=10, description="longest time between two polls")
    transaction_timeout_seconds: float = Field(10.0, ge=1, le=900, description="time-out of an announcing transaction")
    announce_batch_size: int = Field(5000, ge=1, description="announcements of one Kafka transaction, at most")

    lock_seconds: float = Field(10.0, gt=0, description="life of the Redis lock of a release's commits")
    redis_timeout_seconds: float = Field(1.0, gt=0, description="time-out of one Redis command")
    snowflake_layout: Literal["wide", "upstream"] = Field(
        "wide", description="layout of new ids: wide (131,072 a second) or upstream (Sentry's, 16 a second)"
    )
    snowflake_region: int = Field(0, ge=0, description="region number in new ids")
    ignore_markers: list[str] = Field(
        default_factory=lambda: ["#skipsentry"],
        description="a commit whose message contains one is dropped (JSON list)",
    )

    http_port: int | None = Field(
        None, ge=1, le=65535, description="port of a worker's /livez, /readyz and /metrics; off when unset"
    )
    stack_data: Path = Field(Path(".stack"), description="data folder of the embedded stack, where no server is named")
    failpoint: str | None = Field(
        None, description="kill -9 this process at the named point, NAME or NAME:N (for tests)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        reserved = sorted(RESERVED_KAFKA_PROPERTIES & set(self.kafka_properties))
        problems = []
        if reserved:
            problems.append(
                f"KAFKA__*: {', '.join(reserved)} cannot be set: the exactly-once guarantee depends on it; remove it"
            )
        if self.kafka_bootstrap_servers is not None and not self.kafka_bootstrap_servers.strip():
            problems.append("KAFKA_BOOTSTRAP_SERVERS: is empty; write host:port, or unset it")
        if self.retry_base_seconds > self.retry_max_seconds:
            problems.append(f"RETRY_BASE_SECONDS: must not be above {ENV_PREFIX}RETRY_MAX_SECONDS; lower it")
        if self.session_timeout_seconds >= self.max_poll_interval_seconds:
            problems.append(f"SESSION_TIMEOUT_SECONDS: must be below {ENV_PREFIX}MAX_POLL_INTERVAL_SECONDS; lower it")
        if self.drain_timeout_seconds >= self.max_poll_interval_seconds:
            problems.append(
                f"DRAIN_TIMEOUT_SECONDS: must be below {ENV_PREFIX}MAX_POLL_INTERVAL_SECONDS, for a drain must end in"
                " the group; lower it"
            )
        if any(not marker for marker in self.ignore_markers):
            problems.append("IGNORE_MARKERS: holds an empty marker, which would drop every commit; remove it")
        if self.database_url is not None and not self.database_url.startswith(("postgresql://", "postgres://")):
            problems.append("DATABASE_URL: must start with postgresql://")
        if self.redis_url is not None and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            problems.append("REDIS_URL: must start with redis://, rediss:// or unix://")
        if problems:
            raise ValueError("; ".join(f"{ENV_PREFIX}{problem}" for problem in problems))
        return self

    @property
    def kafka_properties(self) -> dict[str, str]:
        """The librdkafka properties of ``kafka``, with their dots."""
        return {_property_name(name): value for name, value in self.kafka.items()}

    def kafka_client(self, bootstrap_servers: str, *, is_polled: bool = False) -> dict[str, Any]:
        """What every Kafka client is configured with: the servers and the properties given.

        No client writes to stderr by itself: what goes wrong with a question is raised to who asked it.

        Args:
            bootstrap_servers: Kafka.
            is_polled: the client is polled all the time, so that it can tell when Kafka goes away and comes back
                (``KafkaNews``), and librdkafka's own warnings.
        """
        quiet = {
            "log_level": _LOG_EMERGENCIES,
            # Else a client that is told once that there is no broker, as after an outage of all, looks for none again.
            "metadata.recovery.strategy": "rebootstrap",
            **self.kafka_properties,
            "bootstrap.servers": bootstrap_servers,
        }
        if not is_polled:
            return quiet
        news = KafkaNews(quiet)
        log_level = self.kafka_properties.get("log_level", _LOG_WARNINGS)
        return {**quiet, "log_level": log_level, "logger": news, "error_cb": news.error}

    @property
    def max_message_bytes(self) -> int:
        """What a record may have in Kafka: an event, and what Kafka or a worker adds to it."""
        return min(self.max_event_bytes + _MESSAGE_OVERHEAD_BYTES, _MOST_MESSAGE_BYTES)

    @property
    def instance_name(self) -> str:
        """The stable instance id, or a name made of host and process where none is set."""
        return self.instance_id or f"{socket.gethostname()}-{os.getpid()}"


def _property_name(name: str) -> str:
    """A librdkafka property from its spelling in the environment; one of them has an underscore itself."""
    dotted = name.lower().replace("_", ".")
    return "log_level" if dotted == "log.level" else dotted


def load_settings(**options: Any) -> Settings:
    """Read and validate all settings.

    Args:
        options: values given as options of the command; ``None`` means not given.

    Raises:
        SettingsError: a value is out of range or contradicts another; names each setting and the remedy.
    """
    for variable, nearest in unknown_variables():
        _warn_once(variable, nearest)
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except UnreadableSetting as error:
        named = re.search(r'field "(\w+)"', str(error))
        what = f"{ENV_PREFIX}{named[1].upper()}: is not JSON" if named else str(error)
        msg = f"invalid settings: {what}; lists are written as JSON"
        raise SettingsError(msg) from None
    except ValidationError as error:
        raise SettingsError("invalid settings: " + "; ".join(map(_complaint, error.errors()))) from None


def _complaint(problem: ErrorDetails) -> str:
    """What is wrong with a setting, by the name of its variable."""
    variable = "__".join(str(part) for part in problem["loc"]).upper()
    value = problem["input"]
    match problem["type"]:
        case "value_error":
            text = problem["msg"].removeprefix("Value error, ")
        case "int_parsing":
            text = f"must be a whole number, got {value!r}"
        case "float_parsing":
            text = f"must be a number, got {value!r}"
        case "string_too_short":
            text = "must not be empty"
        case _:
            told = problem["msg"].replace("Input should be", "must be").replace("a valid", "a")
            text = f"{told}, got {value!r}" if isinstance(value, str | int | float) else told
    if not variable:
        return text
    place = f" (in {ENV_FILE})" if source_of(variable) == ENV_FILE else ""
    return f"{ENV_PREFIX}{variable}{place}: {text}"


def unknown_variables() -> Iterator[tuple[str, str | None]]:
    """Variables of the environment and ``.env`` that look like settings but are none, each with the nearest one."""
    known = list(_names())
    for name in sorted({variable.upper() for _, variables in _places() for variable in variables}):
        _, prefix, unknown = name.partition(ENV_PREFIX)
        if not prefix or unknown in (*known, *_NESTED) or unknown.startswith("KAFKA__"):
            continue
        nearest = next(iter(get_close_matches(unknown, known, n=1, cutoff=0.7)), None)
        if nearest is None and unknown.startswith("KAFKA_"):
            nearest = unknown.replace("_", "__", 1)  # else it is no librdkafka property
        yield name, nearest and f"{ENV_PREFIX}{nearest}"


def _names() -> Iterator[str]:
    """The variables of single settings, without the prefix; librdkafka properties have any name."""
    for name in Settings.model_fields.keys() - {name.lower() for name in _NESTED}:
        yield name.upper()
    for name in Topics.model_fields:
        yield f"TOPICS__{name.upper()}"


@cache
def _warn_once(variable: str, nearest: str | None) -> None:
    meant = f"; did you mean {nearest}?" if nearest else "; `release-consumer settings` lists all"
    log.warning("%s is no setting and has no effect%s", variable, meant)


def source_of(name: str) -> str:
    """Where the value of a setting comes from: ``environment``, ``.env`` or ``default``."""
    variable = f"{ENV_PREFIX}{name}".upper()
    for place, names in _places():
        if any(key.upper() == variable or key.upper().startswith(variable + "__") for key in names):
            return place
    return "default"


def _places() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Where variables are looked for, the first of which wins."""
    return ("environment", os.environ), (ENV_FILE, dotenv_values(ENV_FILE))
