"""The catalogue of metrics: what a worker tells Prometheus on ``/metrics`` (``RELEASE_CONSUMER_HTTP_PORT``)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_COMMITS_DURATION = Histogram(
    "release_set_commits_duration_seconds",
    "Time from reading the rows of a batch to having written them, once for each commit list set (SEMANTICS 4.6).",
)
EVENTS = Counter(
    "release_consumer_events",
    "Events by what became of them: applied, duplicate, parked, or dead.",
    ["fate"],
)
FATES = ("applied", "duplicate", "parked", "dead")
MISPLACED = Counter(
    "release_consumer_misplaced_events",
    "Events that came by another topic or record key than is theirs: nothing keeps them in order (SEMANTICS 2).",
    ["by"],
)
ANNOUNCEMENTS = Counter("release_consumer_announcements", "Announcements that Kafka has committed.")


@contextmanager
def set_commits_duration(commit_lists: int) -> Iterator[None]:
    """Measure the reading and writing of a batch, for as many commit lists as it sets."""
    started = time.monotonic()
    yield
    duration = time.monotonic() - started
    for _ in range(commit_lists):
        SET_COMMITS_DURATION.observe(duration)


def count_events(fate: str, events: int) -> None:
    """Count events of one fate. What leaves one fate for another, such as a parked event, was counted there too."""
    EVENTS.labels(fate).inc(max(0, events))


def count_misplaced(by: str) -> None:
    """Count an event that came by a wrong ``topic`` or ``key``."""
    MISPLACED.labels(by).inc()


def events_by_fate() -> dict[str, int]:
    """What became of the events of this process so far: ``applied``, ``duplicate``, ``parked`` and ``dead``."""
    samples = [sample for metric in EVENTS.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return dict.fromkeys(FATES, 0) | {sample.labels["fate"]: int(sample.value) for sample in samples}
