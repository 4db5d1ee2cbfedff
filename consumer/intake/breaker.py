"""The breaker: a run of dead letters halts the worker instead of emptying the topic into a table (DESIGN section 3)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from consumer.errors import Halted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.errors import EventError
    from consumer.settings import Settings


class DeadLetterBreaker:
    """Watches the share of dead letters among the last events.

    Args:
        settings: ``halt_window``, ``halt_dead_letters`` and ``halt_ratio``.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._batches: deque[tuple[int, int]] = deque()
        self._events = 0
        self._dead = 0

    def check(self, events: int, dead: Sequence[EventError]) -> None:
        """Look at a batch before it is committed.

        Args:
            events: events of the batch that had not come before.
            dead: what is wrong with those of them that would become dead letters.

        Raises:
            Halted: with them there would be too many; the batch must not be committed.
        """
        settings = self._settings
        total, letters = self._events + events, self._dead + len(dead)
        if dead and letters >= settings.halt_dead_letters and letters > settings.halt_ratio * total:
            message = (
                f"halted: {letters} of the last {total} events would be dead letters (the last:"
                f" {dead[-1]}); nothing more"
                " is put away. Mend what publishes them, or let them pass with a higher RELEASE_CONSUMER_HALT_RATIO"
                f" (now {settings.halt_ratio:g}; 1 never halts)"
            )
            raise Halted(message)

    def count(self, events: int, dead: int) -> None:
        """A batch was committed."""
        self._batches.append((events, dead))
        self._events += events
        self._dead += dead
        while self._batches and self._events - self._batches[0][0] >= self._settings.halt_window:
            old_events, old_dead = self._batches.popleft()
            self._events -= old_events
            self._dead -= old_dead
