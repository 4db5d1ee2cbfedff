"""What a schema cannot say about a text: the formats of our own, each with what a person is told.

The quick check of a document leaves them to the parser, which needs the value anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from consumer.contracts.pictures import decode_picture
from consumer.contracts.timestamps import parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable


def parse_json(text: str) -> Any:
    """The value of a text that is JSON.

    Raises:
        ValueError: it is not JSON.
    """
    return orjson.loads(text)


def _instant(text: str) -> str | None:
    try:
        parse_timestamp(text)
    except ValueError:
        return "is a date and time that no calendar has, or outside the years 1 to 9999"
    return None


def _picture(text: str) -> str | None:
    try:
        if text.strip():
            decode_picture(text)
    except ValueError as error:
        return str(error)
    return None


def _json_text(text: str) -> str | None:
    try:
        if text.strip():
            parse_json(text)
    except ValueError as error:
        return f"must be JSON: {error}"
    return None


FORMATS: Final[dict[str, Callable[[str], str | None]]] = {
    "instant": _instant,
    "picture": _picture,
    "json-text": _json_text,
}
"""The formats by their name in the schemas: each tells what is wrong with a text, ``None`` where nothing is."""
