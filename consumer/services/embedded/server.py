"""What every embedded server has: data to prepare, a command that starts it, a way to stop it."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consumer.services.model import ServiceName


class EmbeddedServer(ABC):
    """One real server that runs from installed packages, without Docker and without root.

    Args:
        folder: the folder of this service in the data folder of the stack; absolute.
        port: where it listens on the loopback address.
        progress: told, in words for a person, of work that takes long.
    """

    name: ClassVar[ServiceName]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    start_timeout: ClassVar[float] = 60.0
    stop_timeout: ClassVar[float] = 20.0

    def __init__(self, folder: Path, port: int, progress: Callable[[str], None]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / f"{self.name}.log"
        self.port = port
        self.progress = progress

    @property
    @abstractmethod
    def url(self) -> str:
        """The value of the service's setting; call ``prepare`` first."""

    @abstractmethod
    def prepare(self) -> None:
        """Make data and configuration ready for a start; safe to repeat, and keeps data that is there.

        Called only when no process of the server is left in the folder.

        Raises:
            UsageError: it cannot; the message says why and what to do.
        """

    @property
    @abstractmethod
    def program(self) -> Path:
        """The executable file of the server."""

    @abstractmethod
    def command(self) -> list[str]:
        """Program and arguments of the server, to run in the foreground."""

    @property
    def ready_url(self) -> str:
        """What answers as soon as the server is up, before ``complete``."""
        return self.url

    def complete(self) -> None:  # noqa: B027  # most servers need nothing more
        """Do what needs the running server, such as creating the database; safe to repeat."""
