"""What a worker tells Prometheus."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from prometheus_client import REGISTRY

from consumer.contracts.events import CommitData, CommitsPushed
from consumer.errors import SettingsError
from consumer.health import Health
from consumer.ops.serving import serve
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from consumer.services import Services


def free_port() -> int:
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


def set_commits_so_far() -> float:
    return REGISTRY.get_sample_value("release_set_commits_duration_seconds_count") or 0.0


def test_setting_commits_is_timed_once_for_each_list(services: Services, database_url: str) -> None:
    applier = DirectApplier(database_url, services.redis_url)
    before = set_commits_so_far()
    applier.apply(
        [
            as_cloudevent(
                CommitsPushed(
                    id=version,
                    source="/ci",
                    organization="acme",
                    version=version,
                    commits=[CommitData("c1", "acme/web")],
                )
            )
            for version in ("1.0", "2.0")
        ]
    )
    applier.close()
    assert set_commits_so_far() - before == 2

    port = free_port()
    serve(port, Health(60))
    with urlopen(f"http://localhost:{port}/metrics") as page:
        assert b'release_consumer_events_total{fate="applied"}' in page.read()
    with pytest.raises(SettingsError, match=f"cannot listen on port {port}"):
        serve(port, Health(60))
