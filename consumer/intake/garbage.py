"""Garbage collection between batches instead of in the middle of them.

A batch makes some hundred thousand objects that all live until it is committed. Python's collector would look at
them again and again, a third of the time of a batch, and find nothing: almost none of them are in cycles.
"""

from __future__ import annotations

import gc

_BATCHES = 8


class Garbage:
    """Collects what cycles keep, after every few batches; everything else goes as soon as nothing refers to it."""

    def __init__(self) -> None:
        self._batches = 0

    def postpone(self) -> None:
        """From now on collect only between batches; what exists now stays anyway, and is not looked at again."""
        gc.disable()
        gc.collect()
        gc.freeze()

    def batch_ended(self) -> None:
        """A batch was committed or given up."""
        self._batches += 1
        if self._batches % _BATCHES == 0:
            gc.collect()
