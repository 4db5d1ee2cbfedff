"""What the metadata of Kafka's committed offset says: how far the announcements of a stream have come.

It travels in the same Kafka transaction as the announcements (DESIGN section 2), so after a crash it tells exactly
what is still to be announced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

_FORMAT = "release-consumer/1"


def format_progress(stream: UUID, seq: int) -> str:
    """Metadata that says: the announcements of this stream are out up to ``seq``."""
    return f"{_FORMAT} {stream} {seq}"


def parse_progress(metadata: str | None, stream: UUID) -> int | None:
    """The number up to which the stream is announced; ``None`` where the metadata is missing or about another."""
    match (metadata or "").split(" "):
        case [format_, name, seq] if format_ == _FORMAT and name == str(stream) and seq.isdecimal():
            return int(seq)
    return None
