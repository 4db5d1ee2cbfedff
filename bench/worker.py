"""Worker processes: the product's own command, with its own settings."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil

from consumer.demo.place import environment_of
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.settings import Settings

PRODUCT = ("-c", "from consumer.cli.main import main; main()")
"""What makes Python the command ``release-consumer``."""

_MEBIBYTE = 1024 * 1024
_DRAIN_SECONDS = 60.0
_LINES_TOLD = 5


class Worker:
    """One ``release-consumer run``.

    Args:
        process: the process.
        log: what it writes to stderr.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def require_alive(self) -> None:
        """See that the process runs.

        Raises:
            UsageError: it ended; gives its last words.
        """
        if self._process.poll() is not None:
            raise UsageError(self._end())

    def resident_mib(self) -> float:
        """The most memory that was resident so far, MiB; where the system does not tell, what is resident now."""
        return resident_mib(self._process.pid)

    def cpu_seconds(self) -> float:
        """How long all threads of the process have computed; tells more than the clock where others compute, too."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def stop(self) -> None:
        """Drain and end the process; does nothing once that went well.

        Raises:
            UsageError: it did not end well; gives its last words.
        """
        if self._process.poll() is None:
            self._process.terminate()
        if self._process.wait(_DRAIN_SECONDS) != 0:
            raise UsageError(self._end())

    def kill(self) -> None:
        """End the process if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _end(self) -> str:
        self._log.seek(0)
        words = " | ".join(self._log.read().decode(errors="replace").strip().splitlines()[-_LINES_TOLD:])
        return f"a worker ended with exit code {self._process.returncode}: {words}"


@contextmanager
def running_worker(settings: Settings, instance: str, program: Sequence[str] = PRODUCT) -> Iterator[Worker]:
    """Run a worker; at the end it is drained, or killed after an error.

    Args:
        settings: the place to work in.
        instance: name of the worker.
        program: arguments of Python that make it the product.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *program, "run", "--instance-id", instance],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **environment_of(settings)},
            process_group=0,  # Ctrl-C is for the benchmark, which then stops what it started
        )
        worker = Worker(process, log)
        try:
            yield worker
            worker.stop()
        finally:
            worker.kill()


def resident_mib(pid: int) -> float:
    """The most memory of a process that was resident so far, MiB; what is resident now where Linux is not there."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return float(psutil.Process(pid).memory_info().rss) / _MEBIBYTE
