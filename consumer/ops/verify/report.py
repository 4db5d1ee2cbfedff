"""What a verification found: the partitions with their totals, and every fault with the rows it is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
"""Names and values: the primary key of a row, and what is wrong with it."""

SHOWN_ROWS = 20
"""Rows that a fault names; it counts all."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A promise that is broken.

    Args:
        check: name of the check, in kebab-case.
        table: the table, or topic, that the rows are of; a row may name its own as ``table``.
        promise: what should be true.
        remedy: what to do.
        total: how many rows break it.
        rows: the first of them.
    """

    check: str
    table: str
    promise: str
    remedy: str
    total: int
    rows: list[Row]


@dataclass(slots=True)
class Partition:
    """One row of ``consumer_offset``, with what Kafka says of the partition.

    Args:
        row: the row.
        end: offset behind the last committed record; ``None`` for a topic that is there no longer.
        committed_offset: offset that Kafka has committed for the group; ``None``: none.
        announced_seq: number of the last announcement that Kafka has committed; ``None``: unknown.
        faults: names of the checks that it fails.
    """

    row: Row
    end: int | None = None
    committed_offset: int | None = None
    announced_seq: int | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Topic and number."""
        return f"{self.row['topic']}-{self.row['partition']}"

    @property
    def lag(self) -> int | None:
        """Offsets that are still to be applied."""
        return None if self.end is None else max(0, self.end - self.row["next_offset"])


@dataclass(slots=True)
class Report:
    """All that was found.

    Args:
        partitions: every row of ``consumer_offset`` of the group.
        faults: every broken promise.
        notes: what could not be judged, and why; records that are others'.
        checks: names of the checks made.
    """

    partitions: list[Partition] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def add(self, fault: Fault | None, check: str) -> None:
        """Take note of a check, and of what it found."""
        self.checks.append(check)
        if fault is not None:
            self.faults.append(fault)
