"""The workloads: lists of CloudEvents that a seed determines."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from consumer.client import Document, Documents
from consumer.contracts.events import CommitData

if TYPE_CHECKING:
    from collections.abc import Iterator

ORGANIZATIONS = 20
_REPOSITORIES = 5
_AUTHORS = 40
_AUTHORS_OF_RELEASE = 3
_START = datetime(2026, 1, 1, tzinfo=UTC)
_WORDS = (
    *("add", "cache", "check", "client", "config", "error", "event", "field", "handle", "index", "limit", "list"),
    *("lock", "log", "merge", "move", "new", "order", "page", "parse", "query", "queue", "read", "release", "remove"),
    *("rename", "retry", "row", "schema", "select", "session", "split", "store", "table", "test", "time", "update"),
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the made-up events are.

    Args:
        commits: commits of an event.
        files: files that a commit changes.
    """

    commits: int = 10
    files: int = 0


@dataclass(frozen=True, slots=True)
class Workload:
    """Events in the order they are published.

    Args:
        name: W1 to W5.
        catalog: events that are applied before anything is measured.
        first: what warms the worker up, and what the row-by-row version applies: not measured for the worker.
        measured: what the worker is measured with.
    """

    name: str
    first: list[Document]
    measured: list[Document]
    catalog: list[Document] = field(default_factory=list)


def fresh_releases(name: str, shape: Shape, *, first: int, measured: int) -> Workload:
    """W1 and W2: every event pushes new commits of a new release.

    Args:
        name: name of the workload; also part of what makes versions and commits differ from other workloads'.
        shape: size of an event.
        first: events to warm up with.
        measured: events to measure.
    """
    events = _pushes(name, shape)
    return Workload(name, list(islice(events, first)), list(islice(events, measured)))


def resolving_releases(name: str, shape: Shape, *, first: int, measured: int) -> Workload:
    """W4: every commit resolves a group of its own, that was made before and waits in the inbox."""
    total = first + measured
    made = Documents("bench:catalog")
    catalog = [
        made.group_updated(
            organization=_organization(event),
            project="web",
            short_id=_short_id(event, commit, shape),
            title=f"Error {event}-{commit}",
            status="unresolved",
            inbox="new",
        )
        for event in range(total)
        for commit in range(shape.commits)
    ]
    events = _pushes(name, shape, resolves=True)
    return Workload(name, list(islice(events, first)), list(islice(events, measured)), catalog)


def _pushes(name: str, shape: Shape, *, resolves: bool = False) -> Iterator[Document]:
    dice = random.Random(name)
    made = Documents(f"bench:{name}")
    number = 0
    while True:
        yield made.commits_pushed(
            organization=_organization(number),
            version=f"{name.lower().replace(' ', '-')}@1.{number}.0",
            projects=["web"],
            commits=list(_commits(dice, name, number, shape, resolves=resolves)),
            event_id=f"{name}-{number}",
            time=_START,
        )
        number += 1


def _commits(dice: random.Random, name: str, number: int, shape: Shape, *, resolves: bool) -> Iterator[CommitData]:
    repository = f"example/repository-{dice.randrange(_REPOSITORIES)}"
    authors = [dice.randrange(_AUTHORS) for _ in range(_AUTHORS_OF_RELEASE)]
    newest = _START + timedelta(minutes=number)
    for index in range(shape.commits):
        author = dice.choice(authors)
        words = " ".join(dice.choices(_WORDS, k=9)).capitalize()
        yield CommitData(
            id=hashlib.sha1(f"{name} {number} {index}".encode(), usedforsecurity=False).hexdigest(),
            repository=repository,
            message=f"{words}\n\nFixes {_short_id(number, index, shape)}" if resolves else words,
            author_name=f"Author {author}",
            author_email=f"author-{author}@example.com",
            timestamp=newest - timedelta(seconds=index),
            patch_set=[
                (f"src/{dice.choice(_WORDS)}/{dice.choice(_WORDS)}_{file}.py", "M") for file in range(shape.files)
            ],
        )


def _organization(number: int) -> str:
    return f"bench-{number % ORGANIZATIONS}"


def _short_id(event: int, commit: int, shape: Shape) -> str:
    return f"WEB-{event * shape.commits + commit + 1}"
