"""Runs the embedded servers as detached processes."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from consumer.errors import ServiceUnavailable, UsageError
from consumer.services import process
from consumer.services.embedded.kafka import KafkaServer
from consumer.services.embedded.postgresql import PostgresqlServer
from consumer.services.embedded.valkey import ValkeyServer
from consumer.services.ports import HOST, free_port, is_free
from consumer.services.probe import wait_until_answers
from consumer.services.state import Record, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services.embedded.server import EmbeddedServer
    from consumer.services.model import ServiceName

_SERVERS: dict[ServiceName, type[EmbeddedServer]] = {
    server.name: server for server in (KafkaServer, PostgresqlServer, ValkeyServer)
}

_PORT_TIMEOUT = 3.0  # seconds
_PAUSE = 0.05  # seconds


class EmbeddedProvider:
    """The embedded servers of one data folder.

    Args:
        state: the state of the data folder.
        progress: told, in words for a person, of work that takes long.
    """

    def __init__(self, state: State, progress: Callable[[str], None]) -> None:
        self._state = state
        self._progress = progress

    def is_running(self, record: Record) -> bool:
        """Whether the server's process is alive, and is the one that was started."""
        return record.pid is not None and process.is_running(record.pid, _folder(record))

    def start(self, name: ServiceName, record: Record | None) -> Record:
        """Start a server and wait until it answers.

        Raises:
            UsageError: it cannot be prepared, ends, or does not answer in time; it is not left running.
        """
        server = self._server(name, self._port(name, record))
        self._clear(server)
        server.prepare()
        pid = process.spawn(server.command(), log=server.log, folder=server.folder)
        record = Record(
            provider="embedded",
            address=f"{HOST}:{server.port}",
            url=server.url,
            data=str(server.data),
            log=str(server.log),
            pid=pid,
        )
        self._state.put(name, record)  # before it answers: a command cut short here must not lose the process
        try:
            wait_until_answers(
                name,
                server.ready_url,
                timeout=server.start_timeout,
                alive=lambda: process.is_running(pid, server.folder),
            )
        except ServiceUnavailable as error:
            self.stop(name, record)
            msg = f"{name}: {error}; see {server.log}"
            raise UsageError(msg) from None
        server.complete()
        return record

    def stop(self, name: ServiceName, record: Record) -> Record:
        """Stop a server in order within its bound, else kill it."""
        kind = _SERVERS[name]
        if record.pid is not None:
            in_order = process.stop(record.pid, _folder(record), by=kind.stop_signal, timeout=kind.stop_timeout)
            if not in_order:
                self._progress(f"{name}: did not end within {kind.stop_timeout:.0f} s and was killed")
        stopped = replace(record, pid=None)
        self._state.put(name, stopped)
        return stopped

    def wipe(self, record: Record) -> None:
        """Delete the server's folder: data, configuration and log."""
        shutil.rmtree(_folder(record))

    def _clear(self, server: EmbeddedServer) -> None:
        """End what is left of a server that crashed, or that a command cut short started and could not record."""
        for pid in process.strays(server.folder, server.program):
            process.stop(pid, server.folder, by=server.stop_signal, timeout=server.stop_timeout)

    def _server(self, name: ServiceName, port: int) -> EmbeddedServer:
        return _SERVERS[name](self._state.folder / name, port, lambda text: self._progress(f"{name}: {text}"))

    def _port(self, name: ServiceName, record: Record | None) -> int:
        if record is None:
            return free_port()
        deadline = time.monotonic() + _PORT_TIMEOUT
        while time.monotonic() < deadline:
            if is_free(record.port):
                return record.port
            time.sleep(_PAUSE)  # the system may not be done yet with a server that was killed
        port = free_port()
        self._progress(f"{name}: port {record.port} was taken by another program; it moves to {port}")
        return port


def _folder(record: Record) -> Path:
    return Path(record.data).parent
