"""The command line without any server: help, errors, exit codes, what is imported, masked settings."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner

from consumer.cli.main import COMMANDS, root
from consumer.cli.output import cell
from consumer.cli.settings import mask
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError, Violation

NOWHERE = "postgresql://someone:secret@localhost:1/none"
AVAILABLE = [name for name, (module, _, _) in COMMANDS.items() if find_spec(module)]


def paths(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The command and all below it, as people type them."""
    if not isinstance(command, click.Group):
        return [path]
    return [path, *(p for name, below in command.commands.items() for p in paths(below, (*path, name)))]


def load(name: str) -> click.Command:
    command = root.get_command(click.Context(root), name)
    assert command is not None
    return command


@pytest.mark.parametrize("path", [path for name in AVAILABLE for path in paths(load(name), (name,))], ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(root, [*path, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"release-consumer {path[0]}" in result.stdout


def test_help_lists_all_commands_and_imports_none() -> None:
    program = (
        "import sys\n"
        "from consumer.cli.main import main\n"
        "sys.argv = ['release-consumer', '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    heavy = {'sqlalchemy', 'confluent_kafka', 'pydantic', 'redis', 'orjson'} & set(sys.modules)\n"
        "    print('imported:', sorted(heavy))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "imported: []" in result.stdout
    for name, (_, _, summary) in COMMANDS.items():
        assert name in result.stdout
        assert summary.split()[0] in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["releases", "show"], ["releases", "list", "--limit", "0"], ["dead-letters", "show", "x"]],
)
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    """Run a command that fails with this error."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(type(root), "get_command", lambda *_: failing)
    return CliRunner().invoke(root, ["failing"])


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("no such release; check the version"), "no such release; check the version"),
        (ServiceUnavailable("Kafka does not answer\nat all"), "Kafka does not answer at all"),
        (InvalidEvent("schema", [Violation("$.data", "is required")]), "$.data: is required"),
    ],
)
def test_a_failure_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception, line: str) -> None:
    result = fail_with(monkeypatch, error)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"Error: {line}\n")


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    result = fail_with(monkeypatch, KeyboardInterrupt())
    assert (result.exit_code, result.output) == (130, "")


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(fail_with(monkeypatch, AssertionError("bug")).exception, AssertionError)


def test_a_database_that_does_not_answer() -> None:
    result = CliRunner().invoke(root, ["dead-letters", "list"], env={"RELEASE_CONSUMER_DATABASE_URL": NOWHERE})
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: PostgreSQL failed: ")
    assert "RELEASE_CONSUMER_DATABASE_URL" in result.stderr
    assert "secret" not in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wrong_setting_is_one_line() -> None:
    result = CliRunner().invoke(root, ["settings"], env={"RELEASE_CONSUMER_BATCH_SIZE": "many"})
    assert result.exit_code == 1
    assert "RELEASE_CONSUMER_BATCH_SIZE" in result.stderr


def test_a_closed_pipe_is_quiet() -> None:
    program = "from consumer.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "settings"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_settings_tell_value_default_source_and_meaning() -> None:
    environment = {
        "RELEASE_CONSUMER_BATCH_SIZE": "100",
        "RELEASE_CONSUMER_TOPICS__ACTIVITY": "facts",
        "RELEASE_CONSUMER_DATABASE_URL": NOWHERE,
        "RELEASE_CONSUMER_KAFKA__SASL_PASSWORD": "hunter2",
        "RELEASE_CONSUMER_KAFKA__SECURITY_PROTOCOL": "ssl",
    }
    result = CliRunner().invoke(root, ["settings", "--json"], env=environment)
    settings = {setting.pop("name"): setting for setting in orjson.loads(result.stdout)["settings"]}
    assert settings["batch_size"] == {
        "value": 100,
        "default": 500,
        "source": "environment",
        "variable": "RELEASE_CONSUMER_BATCH_SIZE",
        "meaning": "records of one transaction, at most",
    }
    assert settings["topics.activity"]["value"] == "facts"
    assert settings["topics.activity"]["source"] == "environment"
    assert settings["topics.activity"]["variable"] == "RELEASE_CONSUMER_TOPICS__ACTIVITY"
    assert settings["topics.dead_letters"]["source"] == "default"
    assert settings["database_url"]["value"] == "postgresql://someone:***@localhost:1/none"
    assert settings["kafka.security.protocol"]["value"] == "ssl"
    assert settings["kafka.sasl.password"]["value"] == "***"
    assert settings["kafka.sasl.password"]["variable"] == "RELEASE_CONSUMER_KAFKA__SASL_PASSWORD"
    assert "hunter2" not in CliRunner().invoke(root, ["settings"], env=environment).output


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("database_url", "postgresql://u:p@host:1/db", "postgresql://u:***@host:1/db"),
        ("database_url", "postgresql://u:p@ss@host/db", "postgresql://u:***@host/db"),
        ("database_url", "postgresql://host/db?user=u&password=p", "postgresql://host/db?user=u&password=***"),
        ("database_url", "postgresql://host/db?sslpassword=p&x=1", "postgresql://host/db?sslpassword=***&x=1"),
        ("redis_url", "redis://:p@host:1/0", "redis://:***@host:1/0"),
        ("redis_url", "redis://host:1/0", "redis://host:1/0"),
        ("kafka.ssl.key.password", "p", "***"),
        ("kafka.sasl.oauthbearer.client.secret", "p", "***"),
        ("kafka.linger.ms", "5", "5"),
    ],
)
def test_secrets_are_masked(name: str, value: str, masked: str) -> None:
    assert mask(name, value) == masked


def test_a_cell_stays_on_its_line_and_cannot_steer_the_terminal() -> None:
    assert cell("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert cell(["a", None]) == "a, -"
    assert cell([]) == cell(None) == "-"
