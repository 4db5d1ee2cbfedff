"""CloudEvents on Kafka: a record's value and headers as one document, in structured and in binary mode.

Follows the CloudEvents 1.0 Kafka protocol binding: header values are plain UTF-8, without percent-encoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from consumer.contracts import reasons
from consumer.contracts.validation import json_path
from consumer.errors import InvalidEvent, Violation

Headers = Sequence[tuple[str, bytes | None]]

CONTENT_TYPE = "content-type"
STRUCTURED_JSON = b"application/cloudevents+json"
_STRUCTURED = b"application/cloudevents"
_PREFIX = "ce_"


def to_document(value: bytes, headers: Headers | None) -> dict[str, Any]:
    """The CloudEvent of a record in structured form.

    The mode is structured where the header ``content-type`` says so, else binary where a ``ce_`` header is
    there, else structured. Of a header that is there more than once the last one counts.

    Raises:
        InvalidEvent: ``not-json`` for a value that is not JSON in UTF-8, ``not-a-cloudevent`` for an event format
            other than JSON, a header that is not UTF-8, or JSON that is not a CloudEvent at all.
    """
    attributes = binary_attributes(headers) if headers else None
    content = _parse_json(value, "$" if attributes is None else "$.data")
    if attributes is not None:
        return {**attributes, "data": content}
    if not isinstance(content, dict):
        raise InvalidEvent(reasons.NOT_A_CLOUDEVENT, [Violation("$", "must be a JSON object")])
    return content


def binary_attributes(headers: Headers) -> dict[str, str] | None:
    """The attributes that the headers of a record in binary mode hold; ``None`` in structured mode.

    Raises:
        InvalidEvent: ``not-a-cloudevent`` for an event format other than JSON or a header that is not UTF-8.
    """
    content_type = b""
    for name, value in headers:
        if name == CONTENT_TYPE and value:
            content_type = value
    media_type = content_type.partition(b";")[0].strip().lower()
    if media_type in {STRUCTURED_JSON, _STRUCTURED}:
        return None
    if media_type.startswith(_STRUCTURED):
        found = media_type.decode(errors="replace")
        message = f"has the content-type {found}; only application/cloudevents+json is read"
        raise InvalidEvent(reasons.NOT_A_CLOUDEVENT, [Violation("$", message)])
    encoded = {name.removeprefix(_PREFIX): value for name, value in headers if name.startswith(_PREFIX)}
    return _decode_attributes(encoded) if encoded else None


def _decode_attributes(encoded: dict[str, bytes | None]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    violations: list[Violation] = []
    for name, value in encoded.items():
        try:
            if value is not None:
                attributes[name] = value.decode()
        except UnicodeDecodeError:
            violations.append(Violation(json_path((name,)), "is not UTF-8"))
    if violations:
        raise InvalidEvent(reasons.NOT_A_CLOUDEVENT, violations)
    return attributes


def _parse_json(value: bytes, path: str) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        text = f"is not JSON: {error.msg} (character {error.pos + 1})"
        raise InvalidEvent(reasons.NOT_JSON, [Violation(path, text)]) from None
