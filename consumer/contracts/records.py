"""A Kafka record as it came in, whole: what is parked or put away must come back byte for byte."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

Header = tuple[str, bytes | None]


@dataclass(slots=True)
class Record:
    """One record of a topic. Not frozen only because that takes five times as long to make."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    timestamp: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """A digest of value and headers, in 32 hexadecimal digits: records that share it are equal byte for byte."""
        value = self.value or b""
        # What goes before the value tells where it begins and ends, so that nothing else can be read into it.
        digest = sha256(repr((self.value is None, len(value), *self.headers)).encode())
        digest.update(value)
        return digest.hexdigest()[:32]


def headers_to_json(headers: Sequence[Header]) -> list[list[str | None]]:
    """Headers as JSON keeps them: ``[name, base64 of the value or null]``, in their order."""
    return [[name, None if value is None else b64encode(value).decode()] for name, value in headers]


def headers_from_json(headers: Sequence[Sequence[str | None]]) -> list[Header]:
    """The inverse of ``headers_to_json``."""
    return [(name or "", None if value is None else b64decode(value)) for name, value in headers]
