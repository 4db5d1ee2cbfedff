"""What the rest of the package knows about the services: where they answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from consumer.settings import Settings

ServiceName = Literal["kafka", "postgresql", "redis"]

SERVICE_NAMES: tuple[ServiceName, ...] = ("kafka", "postgresql", "redis")

# The setting that names the server of each service.
SETTING_OF: dict[ServiceName, str] = {
    "kafka": "kafka_bootstrap_servers",
    "postgresql": "database_url",
    "redis": "redis_url",
}


def named_server(settings: Settings, name: ServiceName) -> str | None:
    """The value of the setting that names the server of a service; ``None``: that is left to the stack."""
    server: str | None = getattr(settings, SETTING_OF[name])
    return server


@dataclass(frozen=True, slots=True)
class Services:
    """Where the three services answer.

    Args:
        kafka_bootstrap_servers: ``host:port``, comma separated.
        database_url: ``postgresql://user:password@host:port/name``.
        redis_url: ``redis://host:port/db``.
    """

    kafka_bootstrap_servers: str
    database_url: str
    redis_url: str
