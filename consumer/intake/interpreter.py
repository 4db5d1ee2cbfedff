"""Settings of Python's interpreter that a worker is faster with (docs/performance.md)."""

from __future__ import annotations

import gc
import sys

_SWITCH_SECONDS = 0.0005
_BATCHES_BETWEEN_COLLECTIONS = 8


class Interpreter:
    """The interpreter of a worker.

    A batch makes some hundred thousand objects that live until it is committed. The collector would look at them
    again and again, a third of the time of a batch, and find nothing: almost none of them are in cycles.
    """

    def __init__(self) -> None:
        self._batches = 0

    def tune(self) -> None:
        """Collect only between batches, and let threads that come back from a service wait less for their turn."""
        gc.disable()
        gc.collect()
        # What exists now stays anyway, and need not be looked at again.
        gc.freeze()
        sys.setswitchinterval(_SWITCH_SECONDS)

    def batch_ended(self) -> None:
        """A batch was committed or given up: a good moment to collect what cycles keep."""
        self._batches += 1
        if self._batches % _BATCHES_BETWEEN_COLLECTIONS == 0:
            gc.collect()
