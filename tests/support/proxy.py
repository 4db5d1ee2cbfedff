"""A TCP proxy before a server, on the loopback address: cuts, refuses, slows connections, or hangs them half-open."""

from __future__ import annotations

import random
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from consumer.services import Services

_CHUNK = 65536
_SIZE = 4
"""Bytes that tell how long an answer of Kafka is."""


class Action(Enum):
    """What becomes of what a client sends."""

    FORWARD = auto()
    CUT = auto()
    """The server never gets it; both sides lose the connection."""
    CUT_AFTER = auto()
    """The server gets it; the client loses the connection before the answer."""
    HANG = auto()
    """The server never gets it; both sides keep the connection, and never hear of each other again."""
    HANG_AFTER = auto()
    """The server gets it, and then the connection hangs."""


@dataclass(frozen=True, slots=True)
class Slowness:
    """A line that takes its time: one for each connection and direction, with one packet under way at a time.

    Args:
        latency_seconds: what every packet takes.
        jitter_seconds: what it takes besides, at most; drawn anew for each.
        bytes_per_second: bandwidth.
    """

    latency_seconds: float
    jitter_seconds: float
    bytes_per_second: int

    def seconds(self, size: int) -> float:
        """How long a packet of so many bytes takes."""
        return self.latency_seconds + random.uniform(0, self.jitter_seconds) + size / self.bytes_per_second


class Connection:
    """One connection of a client, and the one that the proxy has to the server for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.is_hung = False
        self.is_marked = False

    def cut(self) -> None:
        """Break it: both sides are told."""
        for side in (self.client, self.server):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Forwards connections to a server. What hangs stays hanging; what is opened after ``heal`` is forwarded.

    Args:
        server: its URL, or host and port.
        renames: Kafka's answers name the server's port on its host; they are made to name the proxy's instead.
    """

    def __init__(self, server: str, *, renames: bool = False) -> None:
        parts = urlsplit(server if "://" in server else f"//{server}")
        host, port = parts.hostname or "", parts.port or 0
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._name = host.encode() + struct.pack(">i", port) if renames else b""
        self._own_name = host.encode() + struct.pack(">i", self.port)
        self._lock = threading.Lock()
        self._connections: set[Connection] = set()
        self._hangs = False
        self._refuses = False
        self._slowness: Slowness | None = None
        self.has_swallowed = threading.Event()
        """Set once something came on a connection that hangs."""
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, url: str) -> str:
        """The URL of a server, with the address of the proxy in its place."""
        parts = urlsplit(url)
        credentials, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{credentials}{at}{self.address}").geturl()

    def cut(self) -> None:
        """Break all connections; new ones are forwarded."""
        with self._lock:
            for connection in self._connections:
                connection.cut()

    def refuse(self) -> None:
        """Break all connections, also those that are opened before ``heal``."""
        with self._lock:
            self._refuses = True
        self.cut()

    def hang(self) -> None:
        """Let all connections hang half-open, also those that are opened before ``heal``."""
        with self._lock:
            self._hangs = True
            for connection in self._connections:
                connection.is_hung = True

    def slow(self, slowness: Slowness) -> None:
        """Let all that is sent take its time, until ``heal``."""
        self._slowness = slowness

    def heal(self) -> None:
        """Forward what is opened from now on, at full speed."""
        with self._lock:
            self._hangs = self._refuses = False
        self._slowness = None

    def close(self) -> None:
        """Take no more connections, and break those there are."""
        self._closed.set()
        self._listener.close()
        self.cut()

    def judge(self, connection: Connection, data: bytes) -> Action:
        """What becomes of what a client sends; for those who cut at a certain moment."""
        del connection, data
        return Action.FORWARD

    def edit(self, answer: bytes) -> bytes:
        """What a client gets of an answer of Kafka; for those who change one."""
        return answer

    # --- threads -------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._server) as server:
            connection = Connection(client, server)
            with self._lock:
                connection.is_hung = self._hangs
                self._connections.add(connection)
                if self._refuses:
                    connection.cut()
            answers = threading.Thread(target=self._answer, args=(connection,), daemon=True)
            answers.start()
            with suppress(OSError):
                self._ask(connection)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            answers.join()
            with self._lock:
                self._connections.discard(connection)

    def _ask(self, connection: Connection) -> None:
        while data := self._receive(connection, connection.client):
            action = self.judge(connection, data)
            if action in {Action.CUT, Action.CUT_AFTER}:
                connection.client.shutdown(socket.SHUT_RDWR)
            if action in {Action.HANG, Action.HANG_AFTER}:
                connection.is_hung = True
            if action not in {Action.CUT, Action.HANG}:
                connection.server.sendall(data)
            if action in {Action.CUT, Action.CUT_AFTER}:
                # The server does what it was asked before it sees that nobody is there any more.
                return

    def _answer(self, connection: Connection) -> None:
        kept = b""
        with suppress(OSError):
            while data := self._receive(connection, connection.server):
                ready, kept = self._edited(kept + data) if self._name else (data, b"")
                with suppress(OSError):
                    connection.client.sendall(ready)
        with suppress(OSError):
            connection.client.shutdown(socket.SHUT_RDWR)

    def _receive(self, connection: Connection, side: socket.socket) -> bytes:
        data = side.recv(_CHUNK)
        if connection.is_hung:
            self.has_swallowed.set()
            # Also an end: the other side must not hear of it.
            self._closed.wait()
            return b""
        if slowness := self._slowness:
            self._closed.wait(slowness.seconds(len(data)))
        return data

    def _edited(self, data: bytes) -> tuple[bytes, bytes]:
        """Whole answers of Kafka, edited, and the beginning of the next one."""
        end, answers = 0, []
        while end + _SIZE <= len(data) and (size := _SIZE + int.from_bytes(data[end : end + _SIZE])) <= len(data) - end:
            answer = self.edit(data[end + _SIZE : end + size].replace(self._name, self._own_name))
            answers.append(len(answer).to_bytes(_SIZE) + answer)
            end += size
        return b"".join(answers), data[end:]


def before_kafka(services: Services) -> Proxy:
    """A proxy that stays between Kafka and its clients, though Kafka tells them where it is."""
    return Proxy(services.kafka_bootstrap_servers, renames=True)
