"""The results as a picture: a bar a system and workload, on a logarithmic scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.results import Row, System

WORKLOADS = {
    "W1": "new releases, 10 commits each",
    "W2": "the same with 3 files a commit",
    "W3": "W1 sent again",
    "W4": "every commit resolves a group",
    "W5": "a real history",
}

_COLOURS: dict[System, str] = {"release-consumer": "#2f6fde", "copy": "#9aa5b1", "row-by-row": "#d9822b"}
_NAMES: dict[System, str] = {
    "release-consumer": "release-consumer, Kafka to PostgreSQL to Kafka",
    "copy": "COPY of the same rows (the limit)",
    "row-by-row": "row by row, SQLAlchemy ORM",
}
_WIDTH, _LEFT, _RIGHT, _TOP = 820, 250, 80, 64
_BAR, _GAP, _BETWEEN = 16, 3, 16
_LOWEST = 1.0

_TEMPLATE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" \
font-size="13" role="img" aria-label="Events a second by workload">
<rect width="{width}" height="{height}" fill="#ffffff"/>
<text x="16" y="24" font-size="15" font-weight="bold" fill="#1f2933">Events a second (logarithmic)</text>
{body}
</svg>
"""


def draw(rows: Sequence[Row]) -> str:
    """Draw the workloads that were measured, as SVG."""
    shown = [(name, [row for row in rows if row.workload == name]) for name in WORKLOADS]
    shown = [(name, found) for name, found in shown if found]
    highest = max(row.events_per_second for _, found in shown for row in found)
    body = list(_legend())
    y = _TOP
    for name, found in shown:
        body += _group(name, found, y, highest)
        y += len(found) * (_BAR + _GAP) + _BETWEEN
    return _TEMPLATE.format(width=_WIDTH, height=y, body="\n".join(body))


def _legend() -> Iterator[str]:
    x = 16
    for system, name in _NAMES.items():
        yield f'<rect x="{x}" y="36" width="10" height="10" fill="{_COLOURS[system]}"/>'
        yield f'<text x="{x + 15}" y="45" font-size="11" fill="#52606d">{name}</text>'
        x += 35 + round(6.1 * len(name))


def _group(name: str, rows: Sequence[Row], y: int, highest: float) -> Iterator[str]:
    yield f'<text x="16" y="{y + 13}" fill="#1f2933">{name}: {WORKLOADS[name]}</text>'
    for index, row in enumerate(rows):
        top = y + index * (_BAR + _GAP)
        width = max(2, round(_share(row.events_per_second, highest) * (_WIDTH - _LEFT - _RIGHT)))
        yield f'<rect x="{_LEFT}" y="{top}" width="{width}" height="{_BAR}" fill="{_COLOURS[row.system]}"/>'
        text = f"{row.events_per_second:,.0f}"
        yield f'<text x="{_LEFT + width + 6}" y="{top + 13}" font-size="12" fill="#1f2933">{text}</text>'


def _share(rate: float, highest: float) -> float:
    return math.log(max(rate, _LOWEST) / _LOWEST) / math.log(highest / _LOWEST)
