"""How commands that run until they are told to end hear of it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGTERM, signal.SIGINT)
"""What asks a process to end: an orchestrator, and Ctrl-C."""


@contextmanager
def told_to_end() -> Iterator[Event]:
    """An event that SIGTERM or Ctrl-C sets, for as long as the block lasts."""
    event = Event()
    before = {number: signal.signal(number, lambda *_: event.set()) for number in ENDING}
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def force_exit(seconds: float, code: int) -> None:
    """End this process so long after SIGTERM or Ctrl-C, or at the second one, whatever its main thread does then.

    While that waits inside a library for a service that does not answer, handlers written in Python wait, too.
    Handlers must be set already; theirs is to end in time.
    """
    heard, told = socket.socketpair()
    told.setblocking(False)  # noqa: FBT003  # its only argument
    signal.set_wakeup_fd(told.fileno())

    def watch() -> None:
        with heard, told:
            heard.recv(1)
            heard.settimeout(seconds)
            with suppress(TimeoutError):
                heard.recv(1)
            os.write(2, b"Error: ended by force\n")  # not sys.stderr, which may be in the middle of a line
            os._exit(code)

    threading.Thread(target=watch, name="forced end", daemon=True).start()
