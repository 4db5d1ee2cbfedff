"""Cursors: where the next page of a listing goes on, bound to the listing that they come from."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SEAL_BYTES = 9  # a multiple of three: base64 without padding


def encode_cursor(listing: Sequence[Any], place: Sequence[Any]) -> str:
    """The cursor as people pass it on: opaque, safe in URLs.

    Args:
        listing: what the listing is of: its name, filters and sort.
        place: the sort key of the last item seen.
    """
    body = orjson.dumps(place)
    return base64.urlsafe_b64encode(_seal(listing, body) + body).decode().rstrip("=")


def decode_cursor(listing: Sequence[Any], cursor: str) -> tuple[Any, ...]:
    """The place that ``encode_cursor`` was given; times are texts.

    Raises:
        UsageError: it is broken, or of another listing.
    """
    try:
        decoded = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        decoded = b""
    seal, body = decoded[:_SEAL_BYTES], decoded[_SEAL_BYTES:]
    if seal != _seal(listing, body):
        message = (
            f"cursor {cursor!r} does not come from this listing; pass nextCursor unchanged with the same filters and"
            " sort, or leave --cursor out"
        )
        raise UsageError(message)
    return tuple(orjson.loads(body))


def _seal(listing: Sequence[Any], body: bytes) -> bytes:
    return blake2b(orjson.dumps(listing) + b"\n" + body, digest_size=_SEAL_BYTES).digest()
