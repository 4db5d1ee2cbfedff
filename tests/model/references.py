"""Which groups a message says it resolves (SEMANTICS section 5.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

CLAIM = re.compile(
    r"\b(?:Fix|Fixes|Fixed|Close|Closes|Closed|Resolve|Resolves|Resolved):?\s+([A-Za-z0-9_\-\s\,]+)\b",
    re.IGNORECASE,
)
SHORT_ID = re.compile(r"\b([A-Z0-9_-]+-[A-Z0-9]+)\b", re.IGNORECASE)


def referenced_short_ids(texts: Iterable[str]) -> set[str]:
    """Return the upper-cased short ids that the texts claim to resolve, each text searched separately."""
    return {short_id.upper() for text in texts for claim in CLAIM.findall(text) for short_id in SHORT_ID.findall(claim)}
