"""Why an event does not decode: the reasons that its dead letter is filtered by."""

from __future__ import annotations

from typing import Final

TOMBSTONE: Final = "tombstone"
"""The record has no value."""

TOO_LARGE: Final = "too-large"
"""The event, or what announces it, is larger than the setting ``max_event_bytes`` allows."""

NOT_JSON: Final = "not-json"
"""The value is not JSON in UTF-8; a lone surrogate counts too."""

NOT_A_CLOUDEVENT: Final = "not-a-cloudevent"
"""JSON, but no CloudEvent: not an object, without ``specversion``, or in an event format other than JSON."""

NUL: Final = "nul"
"""A NUL character, which PostgreSQL cannot keep."""

UNKNOWN_TYPE: Final = "unknown-type"
"""A CloudEvent of a type that is not known here."""

SCHEMA: Final = "schema"
"""It breaks the schema of its type."""

RULE: Final = "rule"
"""It breaks a rule that a schema cannot say: a date that no calendar has, a picture that is none."""
