"""Which of many a command is about: named by ids, or all that filters let through."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

ids_argument = click.argument("ids", metavar="[ID]...", type=click.IntRange(0, 2**63 - 1), nargs=-1)
all_option = click.option("--all", "everything", is_flag=True, help="All there are.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask before all are discarded.")


def check_choice(ids: Sequence[int], *filters: str | None, everything: bool) -> None:
    """Check that it is said in exactly one way which are meant.

    Raises:
        click.UsageError: it is not said, or said twice.
    """
    filtered = any(text is not None for text in filters)
    if bool(ids) + filtered + everything != 1:
        nothing = not (ids or filtered or everything)
        message = "name ids, or filters, or --all" if nothing else "ids, filters and --all exclude each other"
        raise click.UsageError(message)


def confirm_all(count: int, what: str, *, everything: bool, yes: bool) -> None:
    """Ask before all are discarded, where somebody can answer.

    Raises:
        click.Abort: the answer is no.
    """
    if everything and not yes and sys.stdin.isatty():
        click.confirm(f"Discard {count} {what}?", abort=True, err=True)


def tell_skipped(what: str, reasons: dict[int, str]) -> None:
    """Say on stderr with which nothing is done, and why."""
    for id_, reason in sorted(reasons.items()):
        click.echo(f"{what} {id_} {reason}", err=True)
