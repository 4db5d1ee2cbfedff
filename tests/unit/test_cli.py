"""The command line without any server: help, errors, exit codes, what is imported, masked settings."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click
import orjson
import pytest
from click.testing import CliRunner
from confluent_kafka import KafkaError, KafkaException

from consumer.cli.main import COMMANDS, root
from consumer.cli.output import cell
from consumer.cli.settings import mask
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError, Violation
from consumer.intake.startup import wait_for
from consumer.services.state import Record, State
from tests.support.logs import records_of

if TYPE_CHECKING:
    from pathlib import Path

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


def test_a_wrong_setting_of_a_file_is_looked_for_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("RELEASE_CONSUMER_BATCH_SIZE=abc\n")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(root, ["settings"])
    assert "RELEASE_CONSUMER_BATCH_SIZE (in .env): must be a whole number" in result.stderr


def test_settings_tell_the_servers_of_the_stack_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record("embedded", "127.0.0.1:1", "redis://127.0.0.1:1/0", data="redis")
    State(tmp_path).put("redis", record)
    monkeypatch.delenv("RELEASE_CONSUMER_REDIS_URL", raising=False)
    told = CliRunner().invoke(root, ["settings", "--json"], env={"RELEASE_CONSUMER_STACK_DATA": str(tmp_path)})
    settings = {line["name"]: line for line in orjson.loads(told.stdout)["settings"]}
    assert (settings["redis_url"]["value"], settings["redis_url"]["source"]) == (record.url, "stack")


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("BATCH_SIZE", "abc", "BATCH_SIZE: must be a whole number, got 'abc'"),
        ("HTTP_PORT", "0", "HTTP_PORT: must be greater than or equal to 1, got '0'"),
        ("RETRY_MAX_SECONDS", "soon", "RETRY_MAX_SECONDS: must be a number, got 'soon'"),
        ("GROUP_ID", "", "GROUP_ID: must not be empty"),
        ("GROUP_PROTOCOL", "x", "GROUP_PROTOCOL: must be 'classic' or 'consumer', got 'x'"),
        ("IGNORE_MARKERS", "#skip", "IGNORE_MARKERS: is not JSON; lists are written as JSON"),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL: must start with postgresql://"),
        ("REDIS_URL", "x", "REDIS_URL: must start with redis://, rediss:// or unix://"),
        ("KAFKA_BOOTSTRAP_SERVERS", " ", "KAFKA_BOOTSTRAP_SERVERS: is empty; write host:port, or unset it"),
        ("TOPICS__ACTIVITY", "a b", "TOPICS__ACTIVITY: must be a name that Kafka takes: "),
        ("TOPICS__ACTIVITY", "..", "TOPICS__ACTIVITY: must be a name that Kafka takes: "),
        ("TOPICS__ACTIVITY", "dead-letters", "TOPICS: must be four different names, got "),
    ],
)
def test_a_wrong_setting_is_named_in_full(name: str, value: str, complaint: str) -> None:
    result = CliRunner().invoke(root, ["settings"], env={f"RELEASE_CONSUMER_{name}": value})
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: invalid settings: RELEASE_CONSUMER_{complaint}")


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("RELEASE_CONSUMER_BATCHSIZE", "did you mean RELEASE_CONSUMER_BATCH_SIZE?"),
        ("RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVER", "did you mean RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS?"),
        ("RELEASE_CONSUMER_KAFKA_SECURITY_PROTOCOL", "did you mean RELEASE_CONSUMER_KAFKA__SECURITY_PROTOCOL?"),
        ("RELEASE_CONSUMER_TOPICS__ACTIVITIES", "did you mean RELEASE_CONSUMER_TOPICS__ACTIVITY?"),
        ("RELEASE_CONSUMER_XYZ", "`release-consumer settings` lists all"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_misspelt_setting_is_told_and_has_no_effect(variable: str, meant: str, place: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RELEASE_CONSUMER_")}
    if place == "environment":
        environment[variable] = "5"
    else:
        (tmp_path / ".env").write_text(f"{variable}=5\n")
    program = "from consumer.cli.main import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program, "settings"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == f"{variable} is no setting and has no effect; {meant}\n"


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("FOO_BAR", "1", 'No such configuration property: "foo.bar"'),
        ("SECURITY_PROTOCOL", "bogus", 'Invalid value "bogus" for configuration property "security.protocol"'),
    ],
)
def test_a_property_that_the_kafka_client_refuses(name: str, value: str, complaint: str) -> None:
    environment = {
        f"RELEASE_CONSUMER_KAFKA__{name}": value,
        "RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "RELEASE_CONSUMER_DATABASE_URL": NOWHERE,
    }
    result = CliRunner().invoke(root, ["setup"], env=environment)
    variable = f"RELEASE_CONSUMER_KAFKA__{name}"
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: Kafka failed: {complaint}; correct or remove {variable}\n",
    )


def test_only_what_may_pass_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    def fail(code: int) -> None:
        raise KafkaException(KafkaError(code))

    with pytest.raises(KafkaException):
        wait_for("Kafka", "here", lambda: fail(KafkaError.TOPIC_EXCEPTION), 60)
    assert records_of(caplog, "consumer.intake") == []
    with pytest.raises(ServiceUnavailable, match="Kafka at here did not answer"):
        wait_for("Kafka", "here", lambda: fail(KafkaError._TRANSPORT), 0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["activity", "tail", "--type", "bogus"], "activity.group.resolved, "),
        (["run", "--instance-id", ""], "must not be empty"),
        (["publish", "--bootstrap-servers", " "], "must not be empty"),
        (["publish-git", "--organization", "a", "--project", "b", "--repository", "", "."], "must not be empty"),
        (["publish-git", "--organization", "a", "--project", "b", "--range", "x", "."], "is not a range"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_wrong_usage(arguments: list[str], complaint: str) -> None:
    result = CliRunner().invoke(root, arguments)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_an_input_without_events_is_told() -> None:
    result = CliRunner().invoke(root, ["publish", "--json"], input="\n \n")
    assert (result.exit_code, orjson.loads(result.stdout)["published"]) == (0, 0)
    assert result.stderr == "warning: the input holds no events\npublished 0 events: nothing sent\n"


def test_publish_on_a_terminal_says_what_it_waits_for() -> None:
    terminal, input_ = os.openpty()
    program = "from consumer.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "publish"], stdin=input_, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "reading events from standard input, one a line; Ctrl-D ends it\n"
        os.write(terminal, b"\x04")
        assert process.wait() == 0
    os.close(terminal)
    os.close(input_)


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
        "default": 1000,
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
