"""Settings of Python's interpreter that a worker is faster with (docs/performance.md)."""

from __future__ import annotations

import gc
import sys
import time

_SWITCH_SECONDS = 0.0005
_SECONDS_BETWEEN_COLLECTIONS = 10.0


class Interpreter:
    """The interpreter of a worker.

    A batch makes some hundred thousand objects that live until it is committed. The collector would look at them
    again and again, a third of the time of a batch, and find nothing: a dozen of them are in cycles.
    """

    def __init__(self) -> None:
        self._next_collection = 0.0

    def tune(self) -> None:
        """Collect only between batches, and let threads that come back from a service wait less for their turn."""
        gc.disable()
        gc.collect()
        # What exists now stays anyway, and need not be looked at again.
        gc.freeze()
        sys.setswitchinterval(_SWITCH_SECONDS)

    def batch_ended(self) -> None:
        """A batch was committed or given up: a good moment to collect what cycles keep."""
        now = time.monotonic()
        if now > self._next_collection:
            self._next_collection = now + _SECONDS_BETWEEN_COLLECTIONS
            gc.collect()
