"""Server processes that outlive the command that starts them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence

# The shell puts the server in the background, tells its id and ends: the server is nobody's child here, so a
# long-lived caller need not reap it. Its output goes to the log only, or it would hold the caller's pipe open.
_DETACH = '"$@" >&2 & echo $!'

_PAUSE = 0.02  # seconds between looks at a process that is ending


def spawn(command: Sequence[str], *, log: Path, folder: Path) -> int:
    """Start a server in a session of its own.

    Args:
        command: program and arguments.
        log: file that its output is appended to.
        folder: its working directory, which it must not leave except for one inside: ``is_running`` knows it by that.

    Returns:
        Its process id.

    Raises:
        OSError: the shell cannot be started or the log cannot be written. A program that cannot be started shows in
            the log.
    """
    with log.open("ab") as output:
        shell = subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=folder,
            start_new_session=True,
            check=True,
            text=True,
        )
    return int(shell.stdout)


def is_running(pid: int, folder: Path) -> bool:
    """Whether the process is alive and is the server of this folder, not a later process of the same id.

    Args:
        pid: process id.
        folder: what ``spawn`` was given; absolute, without symbolic links.
    """
    try:
        # Not by its age, which shifts when the clock is set, nor by its command line, which servers rewrite.
        return Path(psutil.Process(pid).cwd()).is_relative_to(folder)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def stop(pid: int, folder: Path, *, by: signal.Signals, timeout: float) -> bool:
    """End a server that ``spawn`` started; one that is gone already is fine.

    Args:
        pid: process id.
        folder: what ``spawn`` was given.
        by: signal that asks it to end in order.
        timeout: seconds that it may take; then it is killed.

    Returns:
        Whether it ended in order; ``False`` when it had to be killed.
    """
    if not is_running(pid, folder):
        return True
    try:
        process = psutil.Process(pid)
        process.send_signal(by)
        if _ends(pid, folder, timeout):
            return True
        process.kill()
    except psutil.NoSuchProcess:
        return True
    _ends(pid, folder, timeout)
    return False


def strays(folder: Path, program: Path) -> list[int]:
    """Processes of a program that live in a folder: what a server left that crashed, or that nobody remembers.

    Args:
        folder: what ``spawn`` was given.
        program: the executable file; others, such as a shell that looks around there, are none.
    """
    found = []
    for process in psutil.process_iter():
        try:
            if is_running(process.pid, folder) and Path(process.exe()).samefile(program):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            continue
    return found


def _ends(pid: int, folder: Path, timeout: float) -> bool:
    # Not psutil's wait: where process 1 reaps no orphans (many containers) an ended server stays a zombie for ever.
    deadline = time.monotonic() + timeout
    while is_running(pid, folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True
