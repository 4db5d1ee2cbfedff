"""The health of a worker: whether it lives, and whether it makes progress.

Its threads tell what they do; ``/livez`` and ``/readyz`` ask. Readiness is about progress, not about a ping: work
that has been at hand for too long without a commit makes a worker not ready, with the reason.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Health:
    """What a worker tells of itself. Every method may be called from any thread.

    Args:
        stall_seconds: how long work may be at hand without progress.
        clock: monotonic seconds.
    """

    def __init__(self, stall_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._turned: float | None = None
        self._since: dict[str, float] = {}
        self._reasons: dict[str, str] = {}
        self._obstacle: str | None = "the worker has not started yet"

    def turn(self) -> None:
        """The main loop has come round."""
        with self._lock:
            self._turned = self._clock()

    def ready(self) -> None:
        """The worker has started: it belongs to the group."""
        with self._lock:
            self._obstacle = None

    def stop(self, why: str) -> None:
        """The worker will not go on; ``why`` is what ``/readyz`` says from now on."""
        with self._lock:
            self._obstacle = why

    def work(self, kind: str, what: str | None) -> None:
        """There is work of a kind at hand, or none.

        Args:
            kind: such as ``applying``; each kind is timed by itself, from when it was first at hand.
            what: the work and, if known, what holds it up; ``None`` when it is done.
        """
        with self._lock:
            if what is None:
                self._since.pop(kind, None)
                self._reasons.pop(kind, None)
            else:
                self._since.setdefault(kind, self._clock())
                self._reasons[kind] = what

    def why_not_live(self) -> str | None:
        """Why the process should be killed and started again; ``None`` while it lives."""
        with self._lock:
            # While it waits for services at start, that wait is bounded by itself.
            silent = 0.0 if self._turned is None else self._clock() - self._turned
        if silent > self._stall_seconds:
            return f"the main loop has not come round for {silent:.0f} s"
        return None

    def why_not_ready(self) -> str | None:
        """Why it makes no progress; ``None`` while it does."""
        dead = self.why_not_live()
        if dead is not None:
            return dead
        with self._lock:
            if self._obstacle is not None:
                return self._obstacle
            now = self._clock()
            stalled = [
                f"{self._reasons[kind]}, for {now - since:.0f} s"
                for kind, since in self._since.items()
                if now - since > self._stall_seconds
            ]
        return "; ".join(stalled) or None
