"""Times as events and commands write them."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(time: datetime) -> str:
    """An aware time in UTC with ``Z``; microseconds only where they are not zero."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
