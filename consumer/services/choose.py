"""The one rule that says who runs each service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from consumer.services.model import SERVICE_NAMES, ServiceName, named_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consumer.services.state import Record
    from consumer.settings import Settings

Source = Literal["settings", "docker", "embedded"]


def choose_sources(
    settings: Settings, records: Mapping[ServiceName, Record], docker_answers: Callable[[], bool]
) -> dict[ServiceName, Source]:
    """Decide per service: settings that name a server win; else Docker where a daemon answers; else embedded.

    Data stays with whom it was created by: a service that the data folder knows keeps its provider until it is wiped.

    Args:
        settings: may name servers.
        records: what the data folder remembers.
        docker_answers: asked once at most, and only when it matters: it may take seconds.
    """
    sources: dict[ServiceName, Source] = {}
    fresh: Source | None = None
    for name in SERVICE_NAMES:
        if named_server(settings, name) is not None:
            sources[name] = "settings"
        elif name in records:
            sources[name] = records[name].provider
        else:
            fresh = fresh or ("docker" if docker_answers() else "embedded")
            sources[name] = fresh
    return sources
