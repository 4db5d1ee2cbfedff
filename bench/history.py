"""W5: the real history of a project, as if many organizations had it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bench.workloads import Workload
from consumer.demo.history import read_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.client import Document

_ROOT = Path(__file__).resolve().parent.parent
_FILE = "flask-releases.jsonl.gz"
_EVENTS_OF_RELEASE = 2


def real_history(*, organizations: int, first: int) -> tuple[Workload, str]:
    """W5: per release of a real history an event that creates it and one that pushes its commits with their files.

    The history is that of the file which ``BENCH_DATA`` names, else of ``shared/data`` beside the checkout, else the
    checkout's own, from git.

    Args:
        organizations: how many organizations have the history.
        first: releases to warm up with; the rest is measured.

    Returns:
        the workload, and where the history is from.
    """
    documents, source = _read()
    events = [event for number in range(organizations) for event in _of_organization(documents, number)]
    cut = min(first * _EVENTS_OF_RELEASE, len(documents))
    return Workload("W5", events[:cut], events[cut:]), source


def _read() -> tuple[list[Document], str]:
    named = os.environ.get("BENCH_DATA")
    path = Path(named) if named else _ROOT.parent / "shared" / "data" / _FILE
    if named or path.exists():
        return [event for release in _lines(path) for event in _events(release)], path.name
    history = read_history(_ROOT, lambda _: None)
    return history.events, f"git history of {history.repository}"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path) as file:
        for line in file:
            yield orjson.loads(line)


def _events(release: dict[str, Any]) -> Iterator[Document]:
    """The events of a line of the file, which holds what both events say."""
    for type_, left_out in (("release-created", {"commits"}), ("commits-pushed", {"ref", "dateReleased"})):
        data = {name: value for name, value in release.items() if name not in left_out}
        yield {"specversion": "1.0", "type": type_, "data": data}


def _of_organization(documents: list[Document], number: int) -> Iterator[Document]:
    for index, document in enumerate(documents):
        data = {**document["data"], "organization": f"history-{number}"}
        yield {**document, "id": f"{number}-{index}", "source": "bench:W5", "data": data}
