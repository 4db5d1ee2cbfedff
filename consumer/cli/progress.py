"""Progress of long work on stderr: one line that changes on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time

import click

_LINE_SECONDS = 10.0


class Progress:
    """How far something has come.

    Args:
        label: what is done, such as ``replaying``.
        total: what there is to do; nothing is told of nothing.
    """

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = total
        self._on_terminal = sys.stderr.isatty()
        self._next_line = time.monotonic() + _LINE_SECONDS
        self._told: str | None = None

    def update(self, done: int) -> None:
        """Take note of what is done."""
        if not self._total:
            return
        text = f"{self._label}: {done} of {self._total} ({100 * done // self._total} %)"
        if self._on_terminal and text != self._told:
            click.echo(f"\r{text}", err=True, nl=False)
            self._told = text
        elif not self._on_terminal and time.monotonic() >= self._next_line:
            click.echo(text, err=True)
            self._next_line = time.monotonic() + _LINE_SECONDS

    def say(self, words: str) -> None:
        """Say something in between, on a line of its own."""
        self.close()
        click.echo(words, err=True)

    def close(self) -> None:
        """End the line that changes."""
        if self._told is not None:
            click.echo(err=True)
            self._told = None
