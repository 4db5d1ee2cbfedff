"""Which of many a command is about: named by ids, or all that filters let through."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHOWN = 10
"""Ids that a line on stderr names."""

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


def tell_skipped(what: str, reasons: Mapping[int, str]) -> None:
    """Say on stderr with which nothing is done, and why: a line for each reason."""
    ids_of: defaultdict[str, list[int]] = defaultdict(list)
    for id_, reason in sorted(reasons.items()):
        ids_of[reason].append(id_)
    for reason, ids in ids_of.items():
        shown = ", ".join(map(str, ids[:_SHOWN]))
        more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
        named = f"{what} {shown}" if len(ids) == 1 else f"{what}s {shown}{more}: each"
        click.echo(f"{named} {reason}", err=True)


def skipped_document(reasons: Mapping[int, str]) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [{"id": id_, "why": why} for id_, why in sorted(reasons.items())]
