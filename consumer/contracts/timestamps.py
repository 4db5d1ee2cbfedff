"""Date and time as events write them: RFC 3339, leniently (SEMANTICS section 3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def parse_timestamp(text: str) -> datetime:
    """The instant that ``text`` names, in UTC; without an offset it is UTC already.

    A leap second is the second after; digits below a microsecond are dropped.

    Args:
        text: a string that matches the pattern of ``timestamp`` in the shared schema.

    Raises:
        ValueError: no calendar has that instant, or it lies outside the years 1 to 9999.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = _parse_rare(text)
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def _parse_rare(text: str) -> datetime:
    """What RFC 3339 allows and ``fromisoformat`` does not: a lower-case ``z``, a leap second."""
    text = text.upper()
    if text[16:19] == ":60":
        try:
            return datetime.fromisoformat(f"{text[:16]}:59{text[19:]}") + timedelta(seconds=1)
        except OverflowError:
            raise ValueError(text) from None
    return datetime.fromisoformat(text)


def format_timestamp(instant: datetime, timespec: str = "auto") -> str:
    """An aware datetime as RFC 3339 in UTC with ``Z``.

    Args:
        instant: the date and time.
        timespec: as ``isoformat`` has it; ``auto``: microseconds where they are not zero.
    """
    return instant.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
