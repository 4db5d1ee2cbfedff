"""Free ports on this machine."""

from __future__ import annotations

import random
import socket
import threading

from consumer.errors import UsageError

HOST = "127.0.0.1"

# Below the ports that systems hand out to outgoing connections: none of those may take a port of a stopped stack.
_RANGE = range(20_000, 32_000)
_ATTEMPTS = 200

# Ports given out but perhaps not yet listened on: services start side by side.
_given: set[int] = set()
_giving = threading.Lock()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: ignore closed connections
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback address that nobody listens on now, picked at random.

    Raises:
        UsageError: none was found.
    """
    with _giving:
        for port in random.sample(_RANGE, _ATTEMPTS):
            if port not in _given and is_free(port):
                _given.add(port)
                return port
    msg = f"no free port on {HOST} among {_ATTEMPTS} tried in {_RANGE.start}-{_RANGE.stop}; stop some servers"
    raise UsageError(msg)
