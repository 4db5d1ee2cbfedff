"""Decoding: from the bytes of a Kafka record to a typed event, or to everything that is wrong with it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consumer.contracts import reasons
from consumer.contracts.cloudevents import Headers, binary_attributes, to_document
from consumer.contracts.parsing import parse
from consumer.contracts.schemas import event_types
from consumer.contracts.validation import FORBIDDEN, accepts, forbidden_text, schema_violations
from consumer.errors import InvalidEvent, Violation

if TYPE_CHECKING:
    from consumer.contracts.events import AnyEvent

# The only way to write a NUL in JSON: a raw one is not JSON.
_NUL_ESCAPE = rb"\u0000"
_DESCRIPTION_LENGTH = 255

# Where a value has escapes it is not found.
_ID = re.compile(rb'"id"\s*:\s*"([^"\\]*)"')
_SOURCE = re.compile(rb'"source"\s*:\s*"([^"\\]*)"')


@dataclass(frozen=True, slots=True)
class Description:
    """What a broken event says of itself, as far as it can be read."""

    type: str | None = None
    id: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A CloudEvent in structured form that is not checked yet.

    ``may_hold_nul`` says that there may be NUL characters in it.
    """

    document: dict[str, Any]
    may_hold_nul: bool

    @property
    def name(self) -> tuple[str, str] | None:
        """Source and id, which an event is known by; ``None`` where it has none."""
        source, id_ = self.document.get("source"), self.document.get("id")
        return (source, id_) if isinstance(source, str) and isinstance(id_, str) else None


def open_event(value: bytes | None, headers: Headers | None, *, max_bytes: int) -> Opened:
    """The CloudEvent of a Kafka record, unchecked: the first half of ``decode``.

    Args:
        value: value of the record.
        headers: headers of the record.
        max_bytes: bytes that the value may have.

    Raises:
        InvalidEvent: with one of the reasons ``tombstone`` (no value), ``too-large``, ``not-json`` (also text that is
            not UTF-8, or holds a lone surrogate), or ``not-a-cloudevent``.
    """
    if value is None:
        raise InvalidEvent(reasons.TOMBSTONE, [Violation("$", "has no value")])
    if len(value) > max_bytes:
        raise InvalidEvent(reasons.TOO_LARGE, [Violation("$", f"has more than {max_bytes} bytes")])
    try:
        document = to_document(value, headers)
    except InvalidEvent as error:
        raise InvalidEvent(error.reason, _explain_surrogates(value, headers) or error.violations) from None
    return Opened(document, may_hold_nul=_NUL_ESCAPE in value or _has_nul(headers))


def glimpse_name(value: bytes | None, headers: Headers | None) -> tuple[str, str] | None:
    """What may be source and id of a record's event, found without decoding it: a guess.

    ``Opened.name`` tells them. The guess is wrong where something else of these names stands before them.
    """
    attributes = dict(headers or ())
    source, id_ = attributes.get("ce_source"), attributes.get("ce_id")
    if source is None and id_ is None and value is not None:
        sources, ids = _SOURCE.search(value), _ID.search(value)
        source, id_ = sources and sources[1], ids and ids[1]
    if source is None or id_ is None:
        return None
    try:
        return source.decode(), id_.decode()
    except UnicodeDecodeError:
        return None


def check_event(opened: Opened) -> AnyEvent:
    """The typed event of an opened one: the second half of ``decode``.

    Raises:
        InvalidEvent: with every violation and one of the reasons ``not-a-cloudevent``, ``nul``, ``unknown-type``,
            ``schema``, or ``rule`` (what a schema cannot say: a date that no calendar has, a picture that is none).
    """
    document = opened.document
    forbidden = forbidden_text(document) if opened.may_hold_nul else []
    if not forbidden and accepts(document):
        # A ValueError is such as a date that no calendar has; the full check below names it with its path.
        with suppress(ValueError):
            return parse(document)
    violations = [*forbidden, *schema_violations(document)]
    raise InvalidEvent(reasons.NUL if forbidden else _reason(document), violations)


def keeps_schema(opened: Opened) -> bool:
    """Whether an opened event keeps its schema: most of what ``check_event`` checks, in a twentieth of its time."""
    return accepts(opened.document) and not (opened.may_hold_nul and forbidden_text(opened.document))


def decode(value: bytes | None, headers: Headers | None, *, max_bytes: int) -> AnyEvent:
    """The typed event of a Kafka record; both CloudEvents modes are read (SEMANTICS sections 2 and 3).

    Args:
        value: value of the record.
        headers: headers of the record.
        max_bytes: bytes that the value may have.

    Raises:
        InvalidEvent: with every violation, and a reason as ``open_event`` and ``check_event`` name them.
    """
    return check_event(open_event(value, headers, max_bytes=max_bytes))


def describe(value: bytes | None, headers: Headers | None, *, max_bytes: int | None = None) -> Description:
    """Type, id and source of a record that did not decode, as far as they can be read; never raises.

    Args:
        value: value of the record.
        headers: headers of the record.
        max_bytes: a value beyond it is not looked into; ``None``: no bound.
    """
    attributes: Any = None
    with suppress(InvalidEvent):
        attributes = binary_attributes(headers or ())
    if attributes is None and value is not None and (max_bytes is None or len(value) <= max_bytes):
        # More lenient than decoding: lone surrogates and NaN pass.
        with suppress(ValueError, RecursionError):
            attributes = json.loads(value.decode(errors="replace"))
    if not isinstance(attributes, dict):
        return Description()
    return Description(*(_presentable(attributes.get(name)) for name in ("type", "id", "source")))


def _explain_surrogates(value: bytes, headers: Headers | None) -> list[Violation]:
    """Everything wrong with an event that would be JSON but for lone surrogates; nothing where it is not that."""
    # More lenient than decoding: lone surrogates pass.
    with suppress(ValueError, RecursionError, InvalidEvent):
        attributes = binary_attributes(headers or ())
        content = json.loads(value.decode())
        document = content if attributes is None else {**attributes, "data": content}
        if forbidden := forbidden_text(document):
            readable = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", json.dumps(document, ensure_ascii=False))
            return [*forbidden, *schema_violations(json.loads(readable))]
    return []


def _has_nul(headers: Headers | None) -> bool:
    # For every event: a generator would take three times as long.
    for name, value in headers or ():  # noqa: SIM110
        if "\0" in name or (value is not None and b"\0" in value):
            return True
    return False


def _reason(document: dict[str, Any]) -> str:
    if "specversion" not in document:
        return reasons.NOT_A_CLOUDEVENT
    type_ = document.get("type")
    if isinstance(type_, str) and type_ not in event_types():
        return reasons.UNKNOWN_TYPE
    return reasons.RULE if accepts(document) else reasons.SCHEMA


def _presentable(value: object) -> str | None:
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)[:_DESCRIPTION_LENGTH] if isinstance(value, str) else None
