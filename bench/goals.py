"""The goals, and what of them is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.results import Row, System

RESIDENT_MIB = 256.0

ALONE, EMPTY = "W1 one worker", "W1 empty"
"""W1 once more, just before two workers and right after the tables that have grown: rates of minutes apart differ."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A rate of the worker against another rate.

    Args:
        workload: whose rate of the worker.
        against: the other system, or the other workload of the worker.
        goal: what it should be at least.
    """

    workload: str
    against: System | str
    goal: float


RATIOS = (
    Ratio("W1", "copy", 0.7),
    Ratio("W1", "row-by-row", 40),
    Ratio("W2", "copy", 0.7),
    Ratio("W3", "W1", 15),
    Ratio("W4", "row-by-row", 30),
    Ratio("W5", "copy", 0.5),
    Ratio("W1 grown", EMPTY, 0.7),
    Ratio("W1 two workers", ALONE, 1.3),
)

MILLISECONDS = {"medianMs": 150.0, "p99Ms": 500.0}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one goal is about, what was found, what was to be reached, and whether it is."""

    about: str
    found: str
    goal: str
    met: bool


def judge(rows: Sequence[Row]) -> list[Finding]:
    """Compare what was measured with the goals; what was not measured is not judged."""
    rates = {(row.workload, row.system): row.events_per_second for row in rows}
    findings = []
    for ratio in RATIOS:
        own = rates.get((ratio.workload, "release-consumer"))
        other = next((rates[key] for key in rates if _is_other(ratio, key)), None)
        if own is not None and other is not None:
            found = own / other
            about = f"{ratio.workload} against {ratio.against}"
            findings.append(Finding(about, f"{found:.2f}", f"at least {ratio.goal:g}", found >= ratio.goal))
    for row in rows:
        for name, goal in MILLISECONDS.items():
            if name in row.more:
                found, about = row.more[name], f"{row.workload}, {name.removesuffix('Ms')}"
                findings.append(Finding(about, f"{found:.0f} ms", f"at most {goal:.0f} ms", found <= goal))
    resident = max((row.resident_mib or 0 for row in rows if row.system == "release-consumer"), default=0.0)
    if resident:
        about = "memory of a worker, most of all rows"
        goal_met = resident <= RESIDENT_MIB
        findings.append(Finding(about, f"{resident:.0f} MiB", f"at most {RESIDENT_MIB:.0f} MiB", goal_met))
    return findings


def _is_other(ratio: Ratio, key: tuple[str, System]) -> bool:
    workload, system = key
    if ratio.against == workload:
        return system == "release-consumer"
    return (workload, system) == (ratio.workload, ratio.against)
