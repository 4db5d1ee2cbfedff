"""The results as text and as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bench.goals import judge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.results import Row


def as_text(machine: Mapping[str, Any], settings: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Machine, versions and settings; all rows; the goals."""
    lines = [_facts(machine), _facts(settings), ""]
    lines += _table(
        ("workload", "system", "events", "seconds", "events/s", "MiB", "CPU ms/event"),
        [
            (
                row.workload,
                row.system,
                f"{row.events:,}",
                f"{row.seconds:.2f}",
                f"{row.events_per_second:,.1f}",
                "" if row.resident_mib is None else f"{row.resident_mib:.0f}",
                f"{row.more['cpuMsPerEvent']:.2f}" if "cpuMsPerEvent" in row.more else "",
            )
            for row in rows
        ],
    )
    lines.append("")
    lines += _table(
        ("ratio", "found", "goal", ""),
        [(f.about, f.found, f.goal, "met" if f.met else "not met") for f in judge(rows)],
    )
    return "\n".join(lines)


def write_json(path: Path, machine: Mapping[str, Any], settings: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write the results file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "settings": settings, "rows": [row.as_json() for row in rows]}
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _facts(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items())


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, tuple("-" * width for width in widths), *rows):
        yield "  ".join(_aligned(text, width) for text, width in zip(row, widths, strict=True)).rstrip()


def _aligned(text: str, width: int) -> str:
    return text.rjust(width) if text[:1].isdigit() else text.ljust(width)
