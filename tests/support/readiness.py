"""What a worker answers to ``/readyz``."""

from __future__ import annotations

import socket
from urllib.error import HTTPError, URLError
from urllib.request import urlopen


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("", 0)) as server:
        return int(server.getsockname()[1])


def readiness(port: int) -> str:
    """What ``/readyz`` answers; nothing while nobody does."""
    try:
        with urlopen(f"http://localhost:{port}/readyz", timeout=5) as answer:
            return str(answer.read().decode().strip())
    except HTTPError as error:
        return error.read().decode().strip()
    except URLError:
        return ""
