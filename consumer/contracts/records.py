"""A Kafka record as it came in, whole: what is parked or put away must come back byte for byte."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache
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
        digest = sha256(_before_value(self.value is None, *self.headers))
        digest.update(self.value or b"")
        return digest.hexdigest()[:32]


@lru_cache(maxsize=4)  # no more, for headers may be large
def _before_value(is_null: bool, *headers: Header) -> bytes:  # noqa: FBT001  # of one caller
    """What goes before the value in a digest. It tells where it ends, so that nothing of the value is read into it."""
    return repr((is_null, *headers)).encode()


def headers_to_json(headers: Sequence[Header]) -> list[list[str | None]]:
    """Headers as JSON keeps them: ``[name, base64 of the value or null]``, in their order."""
    return [[name, None if value is None else b64encode(value).decode()] for name, value in headers]


def headers_from_json(headers: Sequence[Sequence[str | None]]) -> list[Header]:
    """The inverse of ``headers_to_json``."""
    return [(name or "", None if value is None else b64decode(value)) for name, value in headers]
