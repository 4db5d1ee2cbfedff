"""The command ``release-consumer``: finds sub-commands, and turns errors into one line and an exit code."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from consumer.cli.failures import explain
from consumer.errors import ReleaseConsumerError

PROGRAM = "release-consumer"

# Name: (module, attribute, what it does). Only the module of the command that runs is imported.
COMMANDS = {
    "stack": ("consumer.cli.stack", "stack", "Run real Kafka, PostgreSQL and Redis on this machine."),
    "setup": ("consumer.cli.setup", "setup", "Migrate the database and create missing topics."),
    "run": ("consumer.cli.run", "run", "Consume events: apply them, announce what happened."),
    "publish": ("consumer.cli.publish", "publish", "Validate and send events from JSON lines."),
    "publish-git": ("consumer.cli.publish_git", "publish_git", "Send the releases of a git repository."),
    "demo": ("consumer.cli.demo", "demo", "Show the main job on real services."),
    "releases": ("consumer.cli.releases", "releases", "List the releases of a project, show one."),
    "groups": ("consumer.cli.groups", "groups", "Show a group."),
    "organizations": (
        "consumer.cli.organizations",
        "organizations",
        "Show an organization, write its picture.",
    ),
    "activity": ("consumer.cli.activity", "activity", "Follow what is announced."),
    "dead-letters": (
        "consumer.cli.dead_letters",
        "dead_letters",
        "Events that could not be applied: see them, try them again, discard them.",
    ),
    "parked": ("consumer.cli.parked", "parked", "Events that wait: see them, try them at once, discard them."),
    "replay": ("consumer.cli.replay", "replay", "Let events go through again while workers run."),
    "verify": ("consumer.cli.verify", "verify", "Check that nothing was lost, nothing done twice."),
    "doctor": ("consumer.cli.doctor", "doctor", "Check settings, services, topics and lag."),
    "settings": ("consumer.cli.settings", "settings", "Print all settings with value, default and source."),
}

INTERRUPTED = 130


class RootGroup(click.Group):
    """Imports a sub-command when it is asked for, and explains its failures."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a sub-command; ``None`` where there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the sub-commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command; a failure that can be explained exits with its code, a Ctrl-C with 130."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:
            line = explain(error)
            if line is None:
                raise
            click.echo(f"Error: {line}", err=True)
            ctx.exit(error.exit_code if isinstance(error, ReleaseConsumerError) else 1)


@click.group(cls=RootGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=PROGRAM, prog_name=PROGRAM)
def root() -> None:
    """Apply release events from Kafka to PostgreSQL exactly once, and announce what happened.

    \b
    Exit codes:
      0    done
      1    a failure, a wrong setting included; one line on stderr says what, where and the remedy
      2    wrong usage: an unknown option, or a value that the option does not take
      3    run only: not everything that was read could be applied and announced in time
      4    run only: it halted, because too many events would have become dead letters
      130  Ctrl-C, where the command does not end in order

    \b
    Example:
      release-consumer stack up
      release-consumer setup
      release-consumer run --until-caught-up
      release-consumer releases list --organization acme --project web
    """


def main() -> None:
    """Run the command line."""
    root(prog_name=PROGRAM)
