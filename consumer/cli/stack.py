"""``stack``: the real services that the package brings along."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path

import click

from consumer.services import resolve_services
from consumer.services.stack import Stack, Status
from consumer.settings import ENV_PREFIX, Settings, load_settings

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of the stack; default: RELEASE_CONSUMER_STACK_DATA, else .stack.",
)


@click.group()
def stack() -> None:
    """Run real Kafka, PostgreSQL and Redis on this machine: by Docker where it answers, else embedded.

    A service that the settings name is left alone.

    \b
    Example:
      release-consumer stack up
      eval "$(release-consumer stack env)"
    """


@stack.command()
@data_option
def up(data: Path | None) -> None:
    """Start what is down; return when all answer.

    The first time takes longer: the jars of Kafka are fetched.

    \b
    Example:
      release-consumer stack up --data /var/tmp/stack
    """
    _stack(_settings(data)).up()


@stack.command()
@data_option
@click.option("--wipe", is_flag=True, help="Delete the data too.")
def down(data: Path | None, *, wipe: bool) -> None:
    """Stop the services; their data stays unless --wipe.

    \b
    Example:
      release-consumer stack down --wipe
    """
    _stack(_settings(data)).down(wipe=wipe)


@stack.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document, keyed kafka, postgresql, redis.")
def status(data: Path | None, *, as_json: bool) -> None:
    """Tell per service whether it runs, its pid, address, data folder and log file.

    \b
    Example:
      release-consumer stack status --json
    """
    statuses = _stack(_settings(data)).status()
    if as_json:
        click.echo(json.dumps({name: dataclasses.asdict(status) for name, status in statuses.items()}, indent=2))
        return
    for name, one in statuses.items():
        click.echo(f"{name}: {_words(one)}")


@stack.command()
@data_option
def env(data: Path | None) -> None:
    """Print the three settings as lines for a shell.

    \b
    Example:
      eval "$(release-consumer stack env)"
    """
    services = resolve_services(_settings(data))
    for setting, value in dataclasses.asdict(services).items():
        click.echo(f"export {ENV_PREFIX}{setting.upper()}={shlex.quote(value)}")


def _settings(data: Path | None) -> Settings:
    return load_settings(stack_data=data)


def _stack(settings: Settings) -> Stack:
    return Stack(settings, lambda text: click.echo(text, err=True))


def _words(one: Status) -> str:
    if one.source is None:
        return "never up"
    state = "up" if one.running else "down"
    facts = {"pid": one.pid, "container": one.container, "data": one.data, "log": one.log, "problem": one.problem}
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
    return f"{state} on {one.address} ({one.source}{', ' if told else ''}{told})"
