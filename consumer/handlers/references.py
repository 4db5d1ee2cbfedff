"""Short ids of groups in messages of commits and pull requests (SEMANTICS 5.1)."""

from __future__ import annotations

import re

SHORT_ID_LENGTH = 80
"""No group has a longer short id (``group-updated`` refuses it)."""

_FIXES = re.compile(
    r"\b(?:Fix|Fixes|Fixed|Close|Closes|Closed|Resolve|Resolves|Resolved):?\s+([A-Za-z0-9_\-\s\,]+)\b",
    re.IGNORECASE,
)
_SHORT_ID = re.compile(r"\b([A-Z0-9_-]+-[A-Z0-9]+)\b", re.IGNORECASE)


_NONE: frozenset[str] = frozenset()


def find_references(message: str | None) -> frozenset[str]:
    """The short ids, upper case, that a message says it resolves; empty for no message."""
    if not message or "-" not in message or (message.isascii() and not _may_fix(message.lower())):
        return _NONE
    found = {short_id.upper() for fixes in _FIXES.finditer(message) for short_id in _SHORT_ID.findall(fixes.group(1))}
    return frozenset(short_id for short_id in found if len(short_id) <= SHORT_ID_LENGTH)


def _may_fix(message: str) -> bool:
    """Most messages name nothing, which is sooner seen without a pattern; letters like the long s are left to it."""
    return "fix" in message or "close" in message or "resolve" in message
