"""What was measured: rows, as the results file has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

System = Literal["release-consumer", "copy", "row-by-row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Args:
        workload: such as ``W1``.
        system: what was measured.
        events: how many events.
        seconds: how long they took.
        resident_mib: the most memory of a process of the system, MiB; ``None`` where there is no such process.
        more: other figures, by the names that the results file gives them.
    """

    workload: str
    system: System
    events: int
    seconds: float
    resident_mib: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def events_per_second(self) -> float:
        """The rate."""
        return self.events / self.seconds

    def as_json(self) -> dict[str, Any]:
        """The row as the results file has it."""
        return {
            "workload": self.workload,
            "system": self.system,
            "eventsPerSecond": round(self.events_per_second, 2),
            "residentMiB": None if self.resident_mib is None else round(self.resident_mib, 1),
            "events": self.events,
            "seconds": round(self.seconds, 4),
            **self.more,
        }
