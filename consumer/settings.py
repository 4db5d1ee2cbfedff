"""The catalogue of settings: every setting with its type, default and meaning.

Settings come from options of a command, the environment, or a ``.env`` file, in this order. All are validated
together when a command starts; a value out of range or a contradiction is refused with the remedy.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, Literal, Self

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from consumer.errors import SettingsError

ENV_PREFIX = "RELEASE_CONSUMER_"
ENV_FILE = ".env"

_LOG_WARNINGS = 4
"""librdkafka's log level: warnings and worse."""

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
    }
)


class Topics(BaseModel):
    """Names of the Kafka topics."""

    model_config = ConfigDict(extra="forbid")

    release_events: str = Field("release-events", description="topic of release events, keyed organization:version")
    catalog_events: str = Field("catalog-events", description="topic of catalog events, keyed by organization")
    activity: str = Field("activity", description="topic that activities are announced on")
    dead_letters: str = Field("dead-letters", description="topic that dead letters are announced on")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [self.release_events, self.catalog_events, self.activity, self.dead_letters]
        if len(set(names)) != len(names):
            msg = f"topics must be four different names, got {', '.join(names)}"
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
        None, description="stable name of this worker; lets a restart fence its predecessor at once"
    )
    topics: Topics = Field(default_factory=Topics)
    topic_partitions: int = Field(6, ge=1, le=10_000, description="partitions of the topics that setup creates")
    topic_replication_factor: int = Field(
        -1, ge=-1, description="replication of these topics; -1: the broker's default"
    )

    batch_size: int = Field(500, ge=1, le=100_000, description="records of one transaction, at most")
    batch_bytes: int = Field(
        32 * 1024 * 1024,
        ge=1024,
        description="bytes of the records of one transaction, at most (one record may exceed)",
    )
    max_event_bytes: int = Field(
        20 * 1024 * 1024, ge=1024, description="bytes of one event; a larger one becomes a dead letter"
    )
    prefetch_bytes: int = Field(
        32 * 1024 * 1024, ge=1024 * 1024, description="bytes that the Kafka client holds ready, at most"
    )

    retry_base_seconds: float = Field(0.5, gt=0, description="first pause before a failed attempt is repeated")
    retry_max_seconds: float = Field(30.0, gt=0, description="longest pause between attempts")
    parking_attempts: int = Field(12, ge=1, description="attempts of a parked event before it is a dead letter")
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

    http_port: int | None = Field(None, ge=1, le=65535, description="port of a worker's /metrics; off when unset")
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
        if self.retry_base_seconds > self.retry_max_seconds:
            problems.append("RETRY_BASE_SECONDS is above RETRY_MAX_SECONDS; lower it")
        if self.session_timeout_seconds >= self.max_poll_interval_seconds:
            problems.append("SESSION_TIMEOUT_SECONDS must be below MAX_POLL_INTERVAL_SECONDS")
        if self.drain_timeout_seconds >= self.max_poll_interval_seconds:
            problems.append(
                "DRAIN_TIMEOUT_SECONDS must be below MAX_POLL_INTERVAL_SECONDS: a drain must end in the group"
            )
        if any(not marker for marker in self.ignore_markers):
            problems.append("IGNORE_MARKERS holds an empty marker, which would drop every commit; remove it")
        if self.database_url is not None and not self.database_url.startswith(("postgresql://", "postgres://")):
            problems.append("DATABASE_URL must start with postgresql://")
        if self.redis_url is not None and not self.redis_url.startswith(("redis://", "rediss://", "unix://")):
            problems.append("REDIS_URL must start with redis://, rediss:// or unix://")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def kafka_properties(self) -> dict[str, str]:
        """The librdkafka properties of ``kafka``, with their dots."""
        return {_property_name(name): value for name, value in self.kafka.items()}

    def kafka_client(self, bootstrap_servers: str) -> dict[str, Any]:
        """What every Kafka client is configured with: the servers and the properties given; it logs warnings."""
        return {
            "log_level": _LOG_WARNINGS,
            # A client that bootstraps anew after an outage can lose the coordinator of its transactions for good.
            "metadata.recovery.strategy": "none",
            **self.kafka_properties,
            "bootstrap.servers": bootstrap_servers,
        }

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
    try:
        return Settings(**{name: value for name, value in options.items() if value is not None})
    except UnreadableSetting as error:
        raise SettingsError(f"invalid settings: {error}; lists are written as JSON") from None  # noqa: EM102, TRY003  # one line
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            where = "__".join(str(part) for part in problem["loc"]).upper()
            text = problem["msg"].removeprefix("Value error, ")
            problems.append(f"{ENV_PREFIX}{where}: {text}" if where else text)
        raise SettingsError("invalid settings: " + "; ".join(problems)) from None


def source_of(name: str) -> str:
    """Where the value of a setting comes from: ``environment``, ``.env`` or ``default``."""
    variable = f"{ENV_PREFIX}{name}".upper()
    for place, names in (("environment", os.environ), (ENV_FILE, dotenv_values(ENV_FILE))):
        if any(key.upper() == variable or key.upper().startswith(variable + "__") for key in names):
            return place
    return "default"
