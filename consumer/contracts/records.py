"""A Kafka record as it came in, whole: what is parked or put away must come back byte for byte."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    timestamp: datetime | None = None


def headers_to_json(headers: Sequence[Header]) -> list[list[str | None]]:
    """Headers as JSON keeps them: ``[name, base64 of the value or null]``, in their order."""
    return [[name, None if value is None else b64encode(value).decode()] for name, value in headers]


def headers_from_json(headers: Sequence[Sequence[str | None]]) -> list[Header]:
    """The inverse of ``headers_to_json``."""
    return [(name or "", None if value is None else b64decode(value)) for name, value in headers]
