"""The assignment: partitions that the group gave this worker, and how far it has read in each.

A partition is assigned by the group, then claimed in PostgreSQL: only then it has a stream (``store.streams``), may be
read, and is announced as a lane (``announce.lane``, which tells how the three belong together). It loses its stream,
and is claimed anew, when somebody has moved its offset; it goes when the group takes it back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.store.streams import Stream

Partition = tuple[str, int]
"""Topic and number."""


@dataclass(slots=True, eq=False)
class Assigned:
    """One partition of the assignment.

    ``stream`` is set once it is claimed in PostgreSQL. ``position`` is the next offset to read: it runs ahead of
    ``stream.next_offset`` by what is decoded and not yet applied. ``must_seek`` is set while Kafka's client reads
    elsewhere than at ``position``: what it hands out until then is not what follows. ``claim_after`` is when to try
    to claim it (monotonic seconds).
    """

    partition: Partition
    stream: Stream | None = None
    position: int = 0
    must_seek: bool = False
    end_of_partition: int = -1
    claim_after: float = 0.0

    def read_from(self, offset: int) -> None:
        """Read from this offset on; the worker seeks there at its next turn."""
        self.position = offset
        self.must_seek = True
        self.end_of_partition = -1

    def __str__(self) -> str:
        return f"{self.partition[0]}-{self.partition[1]}"


@dataclass(slots=True)
class Assignment:
    """The partitions of this worker. Only the main thread touches it."""

    assigned: dict[Partition, Assigned] = field(default_factory=dict)

    def add(self, partitions: Iterable[Partition]) -> None:
        """The group gave partitions; they are not claimed yet."""
        for partition in partitions:
            self.assigned[partition] = Assigned(partition)

    def remove(self, partitions: Iterable[Partition]) -> list[Assigned]:
        """The group took partitions back."""
        removed = [self.assigned.pop(partition, None) for partition in partitions]
        return [assigned for assigned in removed if assigned is not None]

    def unclaimed(self) -> list[Assigned]:
        """Partitions that are due to be claimed."""
        now = time.monotonic()
        return [a for a in self.assigned.values() if a.stream is None and a.claim_after <= now]

    def seeking(self) -> list[Assigned]:
        """Claimed partitions that Kafka's client does not read from their position yet."""
        return [a for a in self.claimed() if a.must_seek]

    def claimed(self) -> list[Assigned]:
        """Partitions that this worker may write."""
        return [a for a in self.assigned.values() if a.stream is not None]

    def streams(self) -> list[Stream]:
        """Streams of the claimed partitions."""
        return [a.stream for a in self.assigned.values() if a.stream is not None]
