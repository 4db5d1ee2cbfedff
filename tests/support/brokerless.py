"""A server that speaks just enough of Kafka's protocol to name itself as the only broker, or none at all."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_API_VERSIONS, _METADATA = 18, 3
_NEWEST = {_API_VERSIONS: 2, _METADATA: 4}
_UNSUPPORTED_VERSION = 35
_HOST = b"127.0.0.1"


class Brokerless:
    """Answers as Kafka does while all brokers are fenced, once ``names_itself`` is false.

    A real broker does so for some milliseconds after an outage.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server((_HOST.decode(), 0))
        self._port: int = self._listener.getsockname()[1]
        self.address = f"{_HOST.decode()}:{self._port}"
        self.names_itself = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as questions, suppress(OSError):
            while len(size := questions.read(4)) == 4:
                question = questions.read(*struct.unpack(">i", size))
                api, version, correlation = struct.unpack_from(">hhi", question)
                answer = struct.pack(">i", correlation) + self._answer(api, version)
                client.sendall(struct.pack(">i", len(answer)) + answer)

    def _answer(self, api: int, version: int) -> bytes:
        if api == _METADATA:
            return self._metadata()
        if version > _NEWEST[_API_VERSIONS]:
            return struct.pack(">hi", _UNSUPPORTED_VERSION, 0)
        versions = b"".join(struct.pack(">hhh", known, 0, newest) for known, newest in _NEWEST.items())
        return struct.pack(">hi", 0, len(_NEWEST)) + versions + struct.pack(">i", 0)

    def _metadata(self) -> bytes:
        """Throttle time, brokers, id of the cluster, controller, topics; version 4."""
        itself = struct.pack(">ih", 1, len(_HOST)) + _HOST + struct.pack(">ih", self._port, -1)
        brokers = struct.pack(">i", 1) + itself if self.names_itself else struct.pack(">i", 0)
        controller = 1 if self.names_itself else -1
        return struct.pack(">i", 0) + brokers + struct.pack(">h", 3) + b"abc" + struct.pack(">ii", controller, 0)
