"""How long to pause before a failed attempt is repeated: longer after every failure, with jitter."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.settings import Settings

_MOST_DOUBLINGS = 30
"""Any longest pause is reached by then; without a bound the power overflows in the course of a long outage."""


def pause_seconds(settings: Settings, attempts: int) -> float:
    """Seconds to wait after so many failed attempts: ``retry_base_seconds`` doubled up to ``retry_max_seconds``.

    Args:
        settings: the two bounds.
        attempts: failed so far, 1 or more.
    """
    doubled: float = settings.retry_base_seconds * 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    return min(doubled, settings.retry_max_seconds) * random.uniform(0.6, 1.0)  # jitter, not a secret
