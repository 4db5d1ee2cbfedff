"""Options of commands that wait for workers, and the words where none works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consumer.cli.progress import Progress
from consumer.ops.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.ops.waiting import State

HOW_TO_START = "a worker does the work; if none runs, start one: `release-consumer run`"

wait_option = click.option(
    "--wait/--no-wait", default=True, show_default=True, help="Wait until workers have done it, or only ask for it."
)
timeout_option = click.option(
    "--timeout",
    "timeout_seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up waiting when nothing has moved for so long.",
)


def wait_for_workers(label: str, total: int, look: Callable[[], State], timeout_seconds: float) -> bool:
    """Wait with progress; says how to start a worker where none seems to work.

    Returns:
        whether it came to an end; ``False`` where nothing moved for ``timeout_seconds``.
    """
    progress = Progress(label, total)

    def on_silence(seconds: float) -> None:
        progress.say(f"nothing has moved for {seconds:.0f} s; {HOW_TO_START}")

    try:
        return Patience(timeout_seconds, progress.update, on_silence).wait(look)
    finally:
        progress.close()
