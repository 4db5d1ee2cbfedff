"""Commands of the product, run as real processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import orjson

from consumer.demo.place import environment_of
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.settings import Settings

_PAUSE_SECONDS = 0.1
_LINES_TOLD = 5


def set_up(settings: Settings) -> None:
    """``release-consumer setup``: makes the tables and the topics.

    Raises:
        UsageError: it failed; gives its last words.
    """
    _run(settings, ["setup"], lambda: None)


def run_until_caught_up(settings: Settings, tick: Callable[[], None]) -> None:
    """``release-consumer run --until-caught-up``.

    Args:
        settings: the place to work in.
        tick: called again and again while the worker works.

    Raises:
        UsageError: it failed; gives its last words.
    """
    _run(settings, ["run", "--until-caught-up"], tick)


def announced(settings: Settings) -> list[dict[str, Any]]:
    """All that is announced so far: ``release-consumer activity tail --from-beginning --until-caught-up --json``.

    Raises:
        UsageError: it failed; gives its last words.
    """
    command = ["activity", "tail", "--from-beginning", "--until-caught-up", "--json"]
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as log,
        _process(settings, command, output, log) as process,
    ):
        process.wait()
        _require_success(command, process, log)
        output.seek(0)
        return [orjson.loads(line) for line in output]


def _run(settings: Settings, command: list[str], tick: Callable[[], None]) -> None:
    with tempfile.TemporaryFile() as log, _process(settings, command, log, log) as process:
        while True:
            try:
                process.wait(_PAUSE_SECONDS)
            except subprocess.TimeoutExpired:
                tick()
            else:
                break
        _require_success(command, process, log)


@contextmanager
def _process(
    settings: Settings, command: list[str], stdout: IO[bytes], stderr: IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the product; if it still runs at the end, because of an interruption, it is told to drain."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from consumer.cli.main import main; main()", *command],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env={**os.environ, **environment_of(settings)},
        process_group=0,  # Ctrl-C is for the demo, which then stops what it started
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _require_success(command: list[str], process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    if process.returncode == 0:
        return
    log.seek(0)
    words = log.read().decode(errors="replace").strip().splitlines()[-_LINES_TOLD:]
    told = " | ".join(words) or "it said nothing"
    msg = f"`release-consumer {' '.join(command)}` ended with exit code {process.returncode}: {told}"
    raise UsageError(msg)
