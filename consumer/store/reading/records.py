"""Kafka records as people and programs read them: text where it is UTF-8, else base64, and which of the two it is."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.store.reading.documents import AnyRow, Document

UTF_8 = "utf-8"
BASE64 = "base64"


def record_document(row: AnyRow) -> Document:
    """Where a record lay, and what it held: ``valueEncoding`` says how the value is to be read, as for the key.

    Args:
        row: with the columns of a record, as they are kept.
    """
    value, value_encoding = to_text(row.value)
    return envelope_document(row) | {"value": value, "valueEncoding": value_encoding}


def envelope_document(row: AnyRow) -> Document:
    """Where a record lay, and what it held besides its value.

    Args:
        row: with the columns of a record, as they are kept.

    Returns:
        ``keyEncoding`` and, one for each header, ``headerEncodings`` say how the text is to be read: ``utf-8``,
        ``base64``, or ``None`` where there is nothing.
    """
    key, key_encoding = to_text(row.record_key)
    headers = [
        (name, *to_text(None if content is None else base64.b64decode(content))) for name, content in row.headers
    ]
    return {
        "topic": row.topic,
        "partition": row.partition,
        "offset": row.offset,
        "key": key,
        "keyEncoding": key_encoding,
        "headers": [[name, text] for name, text, _ in headers],
        "headerEncodings": [encoding for _, _, encoding in headers],
    }


def to_text(content: memoryview | bytes | None) -> tuple[str | None, str | None]:
    """Bytes as text, and its encoding."""
    if content is None:
        return None, None
    content = bytes(content)
    try:
        return content.decode(), UTF_8
    except UnicodeDecodeError:
        return base64.b64encode(content).decode(), BASE64
