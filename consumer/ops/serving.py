"""What a worker tells over HTTP: ``/livez``, ``/readyz`` and ``/metrics`` (``RELEASE_CONSUMER_HTTP_PORT``)."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from consumer.errors import SettingsError

if TYPE_CHECKING:
    from consumer.health import Health


def serve(port: int, health: Health) -> ThreadingHTTPServer:
    """Answer on all addresses, from a thread of its own.

    ``/livez`` and ``/readyz`` answer 200 ``ok``, or 503 with the reason; ``/metrics`` is for Prometheus.

    Args:
        port: to listen on; 0 takes any.
        health: of the worker.

    Raises:
        SettingsError: the port is taken or may not be opened.
    """
    try:
        server = _Server(("", port), health)
    except OSError as error:
        message = f"RELEASE_CONSUMER_HTTP_PORT: cannot listen on port {port}: {error.strerror}; choose another"
        raise SettingsError(message) from None
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], health: Health) -> None:
        self.health = health
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(HTTPStatus.OK, generate_latest(), CONTENT_TYPE_LATEST)
        elif path in {"/livez", "/readyz"}:
            health = self.server.health
            reason = health.why_not_live() if path == "/livez" else health.why_not_ready()
            status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, f"{reason or 'ok'}\n".encode(), "text/plain; charset=utf-8")
        else:
            self._answer(HTTPStatus.NOT_FOUND, b"try /livez, /readyz or /metrics\n", "text/plain; charset=utf-8")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the base class
        """Requests are not logged: probes come every few seconds."""
