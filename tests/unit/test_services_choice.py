"""Who runs each service, and where the other commands find it."""

from __future__ import annotations

import socket
import sys
from contextlib import closing
from typing import TYPE_CHECKING, ClassVar

import pytest

import consumer.services.docker
from consumer.errors import UsageError
from consumer.services import Services, resolve_service, resolve_services
from consumer.services.choose import choose_sources
from consumer.services.docker import DockerProvider, daemon_answers
from consumer.services.model import SERVICE_NAMES, SETTING_OF
from consumer.services.stack import Stack
from consumer.services.state import STATE_FILE, Record, State
from consumer.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMED = {
    "kafka_bootstrap_servers": "kafka.example:9092",
    "database_url": "postgresql://someone:secret@db.example/app",
    "redis_url": "redis://redis.example/0",
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the environment nor a .env file of the checkout names a server."""
    for setting in NAMED:
        monkeypatch.delenv(f"RELEASE_CONSUMER_{setting.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def listening() -> Iterator[str]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def settings(**named: object) -> Settings:
    return load_settings(**named)


def never() -> bool:
    pytest.fail("Docker was asked although it does not matter")


def record(address: str, provider: str = "embedded") -> Record:
    assert provider in ("embedded", "docker")
    return Record("docker" if provider == "docker" else "embedded", address, f"url-of-{address}", data="data")


def test_settings_win_and_nobody_else_is_asked() -> None:
    sources = choose_sources(settings(**NAMED), {"kafka": record("127.0.0.1:1")}, never)

    assert sources == dict.fromkeys(SERVICE_NAMES, "settings")


def test_settings_win_per_service() -> None:
    sources = choose_sources(settings(redis_url=NAMED["redis_url"]), {}, lambda: True)

    assert sources == {"kafka": "docker", "postgresql": "docker", "redis": "settings"}


@pytest.mark.parametrize(("answers", "expected"), [(True, "docker"), (False, "embedded")])
def test_docker_where_a_daemon_answers_else_embedded(answers: bool, expected: str) -> None:  # noqa: FBT001
    asked = []

    def docker_answers() -> bool:
        asked.append(True)
        return answers

    assert choose_sources(settings(), {}, docker_answers) == dict.fromkeys(SERVICE_NAMES, expected)
    assert len(asked) == 1


def test_data_stays_with_whom_it_was_created_by() -> None:
    records = {name: record("127.0.0.1:1", "embedded") for name in SERVICE_NAMES}

    assert choose_sources(settings(), records, never) == dict.fromkeys(SERVICE_NAMES, "embedded")


@pytest.mark.parametrize("host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:1"])
def test_no_daemon_is_no_error(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)

    assert not daemon_answers()


def test_resolve_takes_what_settings_name(tmp_path: Path) -> None:
    assert resolve_services(settings(stack_data=tmp_path / "none", **NAMED)) == Services(**NAMED)


def test_resolve_takes_the_running_stack_of_the_data_folder(tmp_path: Path, listening: str) -> None:
    state = State(tmp_path)
    for name in SERVICE_NAMES:
        state.put(name, record(listening))

    services = resolve_services(settings(stack_data=tmp_path, redis_url=NAMED["redis_url"]))

    assert services == Services(f"url-of-{listening}", f"url-of-{listening}", NAMED["redis_url"])


def test_resolve_without_any_stack_tells_the_remedy_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_services(settings(stack_data=tmp_path / "none", redis_url=NAMED["redis_url"]))

    message = str(caught.value)
    assert "\n" not in message
    assert "kafka, postgresql" in message
    assert "release-consumer stack up" in message
    assert "RELEASE_CONSUMER_DATABASE_URL" in message
    assert "REDIS_URL" not in message
    assert not (tmp_path / "none").exists()


def test_resolve_tells_what_of_the_stack_is_down(tmp_path: Path, listening: str, closed: str) -> None:
    state = State(tmp_path)
    state.put("kafka", record(closed))
    state.put("postgresql", record(listening))
    state.put("redis", record(listening))

    with pytest.raises(UsageError, match=r"has kafka down; run `release-consumer stack up`, or set .*KAFKA_BOOT"):
        resolve_services(settings(stack_data=tmp_path))


def test_resolve_one_does_not_ask_how_the_others_are(tmp_path: Path, listening: str, closed: str) -> None:
    state = State(tmp_path)
    state.put("postgresql", record(listening))
    state.put("redis", record(closed))

    assert resolve_service(settings(stack_data=tmp_path), "postgresql") == f"url-of-{listening}"
    with pytest.raises(UsageError, match=r"has redis down; run `release-consumer stack up`, or set .*REDIS_URL"):
        resolve_service(settings(stack_data=tmp_path), "redis")
    with pytest.raises(UsageError, match=r"no server is named for kafka"):
        resolve_service(settings(stack_data=tmp_path), "kafka", must_answer=False)


def test_who_waits_is_told_where_the_stack_will_be(tmp_path: Path, closed: str) -> None:
    State(tmp_path).put("kafka", record(closed))

    assert resolve_service(settings(stack_data=tmp_path), "kafka", must_answer=False) == f"url-of-{closed}"


def test_a_package_that_is_missing_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumer.services.stack._docker_answers", lambda: False)
    for module in ("consumer.services.embedded.provider", "consumer.services.process", "psutil"):
        monkeypatch.delitem(sys.modules, module, raising=False)
        package, _, name = module.rpartition(".")
        # A package keeps what was imported from it before.
        if package:
            monkeypatch.delattr(f"{package}.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "psutil", None)

    with pytest.raises(UsageError) as caught:
        Stack(settings(stack_data=tmp_path), lambda _: None).up()

    assert str(caught.value).count("psutil is not installed") == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"services": {"kafka": {"pid": 1}}}', '{"services": 7}'])
def test_a_state_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_FILE).write_text(text)

    with pytest.raises(UsageError, match=STATE_FILE):
        resolve_services(settings(stack_data=tmp_path))


def test_the_state_holds_secrets_and_is_for_its_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.put("kafka", record("127.0.0.1:1"))

    assert state.path.stat().st_mode & 0o777 == 0o600
    assert state.records() == {"kafka": record("127.0.0.1:1")}


def test_up_refuses_a_named_server_that_does_not_answer(tmp_path: Path, closed: str) -> None:
    named = {
        "kafka_bootstrap_servers": closed,
        "database_url": f"postgresql://someone:secret@{closed}/app",
        "redis_url": f"redis://{closed}/0",
    }

    with pytest.raises(UsageError) as caught:
        Stack(settings(stack_data=tmp_path, **named), lambda _: None).up()

    for name in SERVICE_NAMES:
        assert f"{name}: {closed}, which the settings name, does not answer" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="--data"):
        Stack(settings(stack_data=tmp_path / "file" / "folder"), lambda _: None).up()


class FakeContainer:
    """Stands for a container of testcontainers; keeps what it was asked to be."""

    id = "c0ffee"
    attrs: ClassVar = {"State": {"Pid": 42}}

    def __init__(self, image: str) -> None:
        self.image = image
        self.env: dict[str, str] = {}
        self.ports: dict[str, tuple[str, int]] = {}
        self.volumes: dict[str, str] = {}
        self.command: list[str] = []

    def with_volume_mapping(self, volume: str, folder: str, mode: str) -> FakeContainer:
        assert mode == "rw"
        self.volumes[volume] = folder
        return self

    def with_command(self, command: list[str]) -> FakeContainer:
        self.command = command
        return self

    def start(self) -> FakeContainer:
        return self

    def reload(self) -> None:
        pass

    def get_wrapped_container(self) -> FakeContainer:
        return self


def test_docker_publishes_on_the_loopback_address_and_keeps_data_in_a_volume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = {}

    def make(image: str) -> FakeContainer:
        made[image.partition(":")[0]] = container = FakeContainer(image)
        return container

    monkeypatch.setattr(consumer.services.docker, "DockerContainer", make)
    monkeypatch.setattr(consumer.services.docker, "wait_until_answers", lambda *_, **__: None)
    provider = DockerProvider(State(tmp_path), lambda _: None)

    records = {name: provider.start(name, None) for name in SERVICE_NAMES}

    assert State(tmp_path).records() == records
    assert {(one.container, one.pid) for one in records.values()} == {("c0ffee", 42)}
    assert set(SETTING_OF) == set(records)
    kafka = made["apache/kafka"]
    assert kafka.ports == {"9092/tcp": ("127.0.0.1", records["kafka"].port)}
    assert kafka.env["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{records['kafka'].url}"
    assert kafka.volumes == {records["kafka"].data: kafka.env["KAFKA_LOG_DIRS"]}
    assert made["postgres"].env["POSTGRES_PASSWORD"] in records["postgresql"].url
    assert made["valkey/valkey"].command[-2:] == ["--appendonly", "yes"]
