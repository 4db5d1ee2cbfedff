"""A lane: one stream on its way out, as the announcer sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.store.streams import Stream


@dataclass(slots=True, eq=False)
class Lane:
    """How far a stream is applied (in PostgreSQL) and announced (in Kafka).

    Args:
        topic: input topic.
        partition: input partition.
        stream: the stream as it was taken over; its epoch guards every commit.
        applied_offset: ``next_offset`` that is committed in PostgreSQL.
        applied_seq: number of its last announcement there.
        announced_seq: number of the last announcement that Kafka has committed; ``None`` until that is known.
        committed_offset: offset that Kafka has committed for the group.
    """

    topic: str
    partition: int
    stream: Stream
    applied_offset: int
    applied_seq: int
    announced_seq: int | None = None
    committed_offset: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether Kafka knows all that PostgreSQL knows."""
        return self.announced_seq == self.applied_seq and self.committed_offset == self.applied_offset

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"
