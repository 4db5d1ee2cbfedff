"""``stack``: the real services that the package brings along."""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING

import click

from consumer.cli.options import data_option
from consumer.cli.output import json_option, print_json
from consumer.services import resolve_services
from consumer.services.stack import Stack, Status
from consumer.settings import ENV_PREFIX, Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path


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
@json_option
@click.pass_context
def status(context: click.Context, data: Path | None, *, as_json: bool) -> None:
    """Tell per service whether it runs, its pid, address, data folder and log file.

    Exits with 0 when all three are up, with 1 when one is down. The JSON is keyed kafka, postgresql, redis.

    \b
    Example:
      release-consumer stack status --json
    """
    statuses = _stack(_settings(data)).status()
    if as_json:
        print_json({name: dataclasses.asdict(one) for name, one in statuses.items()})
    else:
        for name, one in statuses.items():
            click.echo(f"{name}: {_words(one)}")
    context.exit(0 if all(one.running for one in statuses.values()) else 1)


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
