"""The catalogue of failpoints: labelled places where a test may kill the process with SIGKILL.

``RELEASE_CONSUMER_FAILPOINT=NAME`` kills at the first passage of that point, ``NAME:N`` at the N-th.
"""

from __future__ import annotations

import os
import signal
from typing import Literal

Failpoint = Literal[
    "after-poll",
    "inside-transaction",
    "before-commit",
    "after-commit",
    "inside-announcement",
    "before-announcement-commit",
    "after-announcement",
]

NAMES: tuple[str, ...] = Failpoint.__args__  # type: ignore[attr-defined]  # Literal keeps its values there

_armed: str | None = None
_passages_left = 0


def arm(specification: str | None) -> None:
    """Arm one failpoint.

    Args:
        specification: ``NAME`` or ``NAME:N``; ``None`` disarms.

    Raises:
        ValueError: the name is unknown or N is not a positive number.
    """
    global _armed, _passages_left  # noqa: PLW0603  # one process has one armed failpoint
    if specification is None:
        _armed = None
        return
    name, _, count = specification.partition(":")
    if name not in NAMES:
        msg = f"unknown failpoint {name!r}; known: {', '.join(NAMES)}"
        raise ValueError(msg)
    _armed, _passages_left = name, int(count or 1)
    if _passages_left < 1:
        msg = f"failpoint {specification!r}: the count must be 1 or more"
        raise ValueError(msg)


def reach(name: Failpoint) -> None:
    """Pass a failpoint: nothing happens unless it is armed; then the process dies as by ``kill -9``."""
    global _passages_left  # noqa: PLW0603  # see arm
    if _armed != name:
        return
    _passages_left -= 1
    if _passages_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
