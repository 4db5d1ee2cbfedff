"""What a data folder remembers of its stack, and the lock that lets one command at a time change it."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TextIO

from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services.model import ServiceName

Provider = Literal["embedded", "docker"]

STATE_FILE = "stack.json"
LOCK_FILE = "stack.lock"


@dataclass(frozen=True, slots=True)
class Record:
    """One service of a stack.

    Args:
        provider: what runs it.
        address: ``host:port`` it answers on; stays the same for the life of the data.
        url: the value of its setting, secrets included.
        data: its data folder, or the name of its Docker volume.
        log: its log file; ``None`` where Docker keeps the log.
        pid: process id of the server, in a container as the machine sees it; ``None`` when it was stopped.
        container: id of its Docker container; ``None`` when it was removed.
    """

    provider: Provider
    address: str
    url: str
    data: str
    log: str | None = None
    pid: int | None = None
    container: str | None = None

    @property
    def port(self) -> int:
        """The port of ``address``."""
        return int(self.address.rpartition(":")[2])


class State:
    """The records of one data folder, kept in a file that only its owner can read.

    Threads may write records of different services at the same time; processes take ``locked`` first.

    Args:
        folder: the data folder of the stack; need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / STATE_FILE
        self._writing = threading.Lock()

    def records(self) -> dict[ServiceName, Record]:
        """The services that the folder remembers; empty where no stack was ever up.

        Raises:
            UsageError: the file cannot be read or was not written by this version.
        """
        try:
            stored = json.loads(self.path.read_text())
            return {name: Record(**record) for name, record in stored["services"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            msg = f"{self.path}: cannot read the state of the stack ({error}); restore or remove the file"
            raise UsageError(msg) from None

    def put(self, name: ServiceName, record: Record) -> None:
        """Remember a service; the file is replaced as a whole, so that readers never see half of it."""
        with self._writing:
            records = self.records()
            records[name] = record
            self._write(records)

    def forget(self, name: ServiceName) -> None:
        """Forget a service, if it was known."""
        with self._writing:
            records = self.records()
            records.pop(name, None)
            self._write(records)

    def _write(self, records: dict[ServiceName, Record]) -> None:
        text = json.dumps({"services": {name: asdict(record) for name, record in records.items()}}, indent=2)
        draft = self.path.with_suffix(".tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")
        draft.replace(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock; waits for a command that holds it. Creates the folder.

        Raises:
            UsageError: the folder cannot be created or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / LOCK_FILE).open("w")
        except OSError as error:
            msg = f"{self.folder}: cannot be used as data folder ({error.strerror}); choose another by --data"
            raise UsageError(msg) from None
        with file:
            _lock(file)
            yield


def _lock(file: TextIO) -> None:
    fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed, also by a crash
