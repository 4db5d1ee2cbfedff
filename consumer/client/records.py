"""From an event to the Kafka record that carries it: validated, completed, under the right key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from consumer.contracts import AnyEvent, GroupUpdated, ReleaseEvent, decode, reasons, validate
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import InvalidEvent, Violation

if TYPE_CHECKING:
    from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """An event as it goes to Kafka: its topic, its record key, and the CloudEvent in structured mode."""

    topic: str
    key: bytes
    value: bytes


def to_record(document: dict[str, Any], settings: Settings) -> OutgoingRecord:
    """The Kafka record of an event; ``time`` and ``subject`` are filled in where missing.

    The key is the version key ``organization:version`` of a release event, the organization of a catalog event
    (SEMANTICS section 2).

    Args:
        document: the CloudEvent in structured form, as ``json.loads`` returns it.
        settings: topics and the largest event.

    Raises:
        InvalidEvent: consumers would refuse it; with every violation, for the reason that ``decode`` gives.
    """
    limit = settings.max_event_bytes
    event = decode(_encode(document), None, max_bytes=limit)
    time = document.get("time") or format_timestamp(datetime.now(UTC), "milliseconds")
    value = _encode({**document, "time": time, "subject": document.get("subject") or _subject(event)})
    if len(value) > limit:
        raise InvalidEvent(reasons.TOO_LARGE, [Violation("$", f"has more than {limit} bytes")])
    topics = settings.topics
    topic = topics.release_events if isinstance(event, ReleaseEvent) else topics.catalog_events
    return OutgoingRecord(topic, event.key.encode(), value)


def _encode(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        violations = validate(document) or [Violation("$", f"cannot be written as JSON: {error}")]
        raise InvalidEvent(reasons.NOT_JSON, violations) from None


def _subject(event: AnyEvent) -> str:
    match event:
        case ReleaseEvent():
            return event.version
        case GroupUpdated():
            return event.short_id
        case _:
            return event.organization
