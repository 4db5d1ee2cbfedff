"""Options that several commands have, and types of their values; a bad value is wrong usage, exit code 2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class NonEmptyText(click.ParamType[str]):
    """Text with at least one visible character: an empty variable of a script is not taken for a value."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is empty or blank."""
        text = str(value)
        if not text.strip():
            self.fail("must not be empty; give a value, or leave the option out", param, ctx)
        return text


NON_EMPTY = NonEmptyText()


def one_of(what: str, values: Callable[[], Sequence[str]]) -> Callable[..., str | None]:
    """A callback for an option that takes one of some words; they are looked up only when it is given.

    Args:
        what: a word is, in the singular.
        values: tells the words.
    """

    def check(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
        if value is not None and value not in values():
            msg = f"there is no {what} {value!r}; the {what}s are {', '.join(values())}"
            raise click.BadParameter(msg)
        return value

    return check


bootstrap_servers_option = click.option(
    "--bootstrap-servers",
    type=NON_EMPTY,
    metavar="HOST:PORT,...",
    help="Kafka servers; default: RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS, else the stack of this folder.",
)
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of the stack; default: RELEASE_CONSUMER_STACK_DATA, else .stack.",
)
