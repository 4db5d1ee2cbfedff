"""How much is measured: ``make bench-quick`` and ``make bench``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Args:
        events: of W1 and W2.
        first: events of W1, W2 and W4 that warm the worker up and that the row-by-row version applies.
        replays: how many times W3 sends W1 again.
        resolving: events of W4.
        organizations: of W5.
        releases_first: releases of W5 to warm up with, which the row-by-row version applies.
        latency_seconds: how long events are published for the latency.
        growth: commits in the tables beforehand; 0 leaves the measurement out.
        copies: how many times rows are loaded by COPY; the median counts.
    """

    events: int
    first: int
    replays: int
    resolving: int
    organizations: int
    releases_first: int
    latency_seconds: float
    growth: int
    copies: int


QUICK = Sizes(
    events=4_000,
    first=100,
    replays=3,
    resolving=500,
    organizations=4,
    releases_first=8,
    latency_seconds=6,
    growth=0,
    copies=3,
)

FULL = Sizes(
    events=20_000,
    first=500,
    replays=5,
    resolving=3_000,
    organizations=30,
    releases_first=30,
    latency_seconds=60,
    growth=10_000_000,
    copies=5,
)
