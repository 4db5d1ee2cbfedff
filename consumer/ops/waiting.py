"""Waiting for workers to do what was asked of them: bounded, with progress, and aloud when nothing moves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.25
_QUIET_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class State:
    """How far something has come.

    Args:
        done: so much of it.
        finished: whether there is nothing left to wait for.
        sign_of_life: changes whenever a worker did something, also where ``done`` stays as it is.
    """

    done: int
    finished: bool
    sign_of_life: object = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait.

    Args:
        timeout_seconds: give up after so long without a change.
        on_progress: told ``done`` after every look.
        on_silence: told seconds, once for each time that nothing changes for a while.
    """

    timeout_seconds: float
    on_progress: Callable[[int], None]
    on_silence: Callable[[float], None]

    def wait(self, look: Callable[[], State]) -> bool:
        """Look again and again until it is finished.

        Returns:
            whether it is; ``False`` where nothing changed for ``timeout_seconds``.
        """
        last: State | None = None
        changed = time.monotonic()
        told = False
        while True:
            state = look()
            self.on_progress(state.done)
            if state.finished:
                return True
            now = time.monotonic()
            if state != last:
                last, changed, told = state, now, False
            elif now - changed >= self.timeout_seconds:
                return False
            elif now - changed >= _QUIET_SECONDS and not told:
                self.on_silence(now - changed)
                told = True
            time.sleep(_POLL_SECONDS)
