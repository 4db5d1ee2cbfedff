"""``stack``: real servers come up, stay, come back and go."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg2
import pytest
import redis
from click.testing import CliRunner, Result
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from consumer.cli.stack import stack
from consumer.errors import UsageError
from consumer.services import Services, resolve_services
from consumer.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMES = ["kafka", "postgresql", "redis"]
UP = "import sys; from consumer.cli.stack import stack; stack(['up', '--data', sys.argv[1]])"


@pytest.fixture(scope="module", autouse=True)
def _embedded() -> Iterator[None]:
    """Neither a named server nor Docker: these tests are about the embedded servers."""
    with pytest.MonkeyPatch.context() as patch:
        for setting in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"):
            patch.delenv(f"RELEASE_CONSUMER_{setting}", raising=False)
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose stack may be up or down; its name needs quoting."""
    folder = tmp_path_factory.mktemp("stack") / "it's data"
    yield folder
    run("down", folder, "--wipe")


def run(command: str, folder: Path, *options: str) -> Result:
    result = CliRunner().invoke(stack, [command, "--data", str(folder), *options], catch_exceptions=False)
    assert command == "status" or result.exit_code == 0, result.output
    return result


def up(folder: Path) -> Result:
    return run("up", folder)


def status(folder: Path) -> dict[str, Any]:
    result = run("status", folder, "--json")
    loaded: dict[str, Any] = json.loads(result.stdout)
    assert list(loaded) == NAMES
    assert result.exit_code == (0 if all(one["running"] for one in loaded.values()) else 1)
    return loaded


def pids(folder: Path) -> dict[str, int]:
    return {name: one["pid"] for name, one in status(folder).items()}


def resolved(folder: Path) -> Services:
    return resolve_services(load_settings(stack_data=folder))


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kill(folder: Path, name: str) -> None:
    os.kill(pids(folder)[name], signal.SIGKILL)
    wait_for(lambda: is_down(folder, name))


def is_down(folder: Path, name: str) -> bool:
    try:
        resolved(folder)
    except UsageError as error:
        return f"has {name} down; run `release-consumer stack up`" in str(error)
    return False


def write(services: Services, mark: str) -> None:
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers})
    admin.create_topics([NewTopic(mark, 1)])[mark].result()
    with closing(psycopg2.connect(services.database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {mark} ()")
    with redis.Redis.from_url(services.redis_url) as client:
        client.set(mark, "kept")


def has(services: Services, mark: str) -> list[bool]:
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers})
    with closing(psycopg2.connect(services.database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (mark,))
        row = cursor.fetchone()
    assert row is not None
    with redis.Redis.from_url(services.redis_url) as client:
        return [mark in admin.list_topics(timeout=10).topics, bool(row[0]), client.exists(mark) == 1]


def test_up_returns_when_all_answer_and_status_tells_of_each(folder: Path) -> None:
    told = up(folder)

    assert told.stdout == ""
    for name, one in status(folder).items():
        assert f"{name}: up on {one['address']}" in told.stderr
        assert one["running"]
        assert one["source"] == "embedded"
        assert one["address"].startswith("127.0.0.1:")
        assert psutil.pid_exists(one["pid"])
        assert Path(one["data"]).is_dir()
        assert Path(one["log"]).stat().st_size > 0
        assert name in run("status", folder).stdout


def test_second_up_starts_nothing(folder: Path) -> None:
    up(folder)
    before = pids(folder)

    told = up(folder)

    assert pids(folder) == before
    assert told.stderr.count("is up on") == len(NAMES)


def test_env_is_understood_by_a_shell(folder: Path) -> None:
    up(folder)

    lines = run("env", folder).stdout
    shell = subprocess.run(
        ["sh", "-c", f"{lines}\nenv"], env={}, capture_output=True, text=True, check=True
    ).stdout.splitlines()

    services = resolved(folder)
    assert f"RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS={services.kafka_bootstrap_servers}" in shell
    assert f"RELEASE_CONSUMER_DATABASE_URL={services.database_url}" in shell
    assert f"RELEASE_CONSUMER_REDIS_URL={services.redis_url}" in shell


def test_postgresql_asks_for_the_password(folder: Path) -> None:
    up(folder)
    url = resolved(folder).database_url.replace("release_consumer:", "release_consumer:x")

    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(url)


@pytest.mark.parametrize("name", NAMES)
def test_up_restarts_only_what_was_killed_and_no_data_is_lost(folder: Path, name: str) -> None:
    up(folder)
    services = resolved(folder)
    mark = f"killed_{name}"
    write(services, mark)
    before = pids(folder)

    kill(folder, name)
    assert not status(folder)[name]["running"]
    up(folder)

    after = pids(folder)
    assert {one for one in NAMES if after[one] != before[one]} == {name}
    assert resolved(folder) == services
    assert has(services, mark) == [True, True, True]


def test_a_stale_pid_of_another_process_is_not_taken_for_the_server(folder: Path) -> None:
    up(folder)
    run("down", folder)
    state = folder / "stack.json"
    records = json.loads(state.read_text())
    for record in records["services"].values():
        record["pid"] = os.getpid()
    state.write_text(json.dumps(records))

    assert not any(one["running"] for one in status(folder).values())
    run("down", folder)  # and this process is not ended
    up(folder)
    assert all(one["running"] for one in status(folder).values())


def test_data_and_addresses_survive_down(folder: Path) -> None:
    up(folder)
    services = resolved(folder)
    write(services, "kept")
    before = pids(folder)

    run("down", folder)

    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in before.values())
    assert pids(folder) == dict.fromkeys(NAMES)
    up(folder)
    assert resolved(folder) == services
    assert has(services, "kept") == [True, True, True]


def test_two_ups_at_once_start_one_stack(folder: Path) -> None:
    run("down", folder)

    both = [
        subprocess.Popen([sys.executable, "-c", UP, str(folder)], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    told = [one.communicate()[1] for one in both]

    assert [one.returncode for one in both] == [0, 0], told
    assert sorted(text.count("is up on") for text in told) == [0, len(NAMES)]
    assert has(resolved(folder), "none") == [False, False, False]


def test_down_without_a_stack_does_nothing(tmp_path: Path) -> None:
    assert run("down", tmp_path / "none").output == ""


def test_wipe_deletes_the_data(folder: Path) -> None:
    up(folder)

    run("down", folder, "--wipe")

    assert not any((folder / name).exists() for name in NAMES)
    assert all(one["source"] is None for one in status(folder).values())
