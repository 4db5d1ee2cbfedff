"""What the demo tells: steps with their times, and results for people who see the product for the first time."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from consumer.cli.output import cell, person, print_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Document = dict[str, Any]

_SHORT_KEY = 12
_RELEASES_SHOWN = 8
_AUTHORS_NAMED = 2


class Steps:
    """Numbers the steps, and takes their time.

    Args:
        total: how many there will be.

    Attributes:
        seconds: how long each took, by its short name.
    """

    def __init__(self, total: int) -> None:
        self.seconds: dict[str, float] = {}
        self._total = total
        self._began = time.monotonic()

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """One step: its title first, its time at the end."""
        click.secho(f"\n[{len(self.seconds) + 1}/{self._total}] {title}", bold=True)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        click.secho(f"      {self.seconds[name]:.1f} s", dim=True)

    @property
    def total_seconds(self) -> float:
        """Since the first step was announced, pauses included."""
        return round(time.monotonic() - self._began, 1)


def tell(text: str) -> None:
    """A line of a step."""
    click.echo(f"      {cell(text)}")


def show_releases(releases: Sequence[Document]) -> None:
    """A table of releases, newest first; of many only the newest."""
    _heading("Releases", "as `release-consumer releases list` tells them")
    print_table(
        ("      VERSION", "RELEASED", "COMMITS", "AUTHORS", "HEAD COMMIT"),
        [
            (
                f"      {cell(release['version'])}",
                (release["dateReleased"] or "")[:10] or None,
                release["commitCount"],
                _authors(release["authors"]),
                [f"{head['commit'][:_SHORT_KEY]} of {head['repository']}" for head in release["headCommits"]],
            )
            for release in releases[:_RELEASES_SHOWN]
        ],
    )
    if len(releases) > _RELEASES_SHOWN:
        tell(f"... and {len(releases) - _RELEASES_SHOWN} older ones")


def show_group(group: Document) -> None:
    """What became of the group that a commit fixes."""
    short_id, resolution = group["shortId"], group["resolution"]
    _heading(f"Issue {short_id}", "as `release-consumer groups show` tells it")
    tell(f'"{group["title"]}" is {group["status"]}; inbox: {group["inbox"] or "empty"}')
    if resolution:
        tell(f"in release {resolution['release']}, by {person(resolution['actor'])}")
    for link in group["links"]:
        tell(f"{link['type']} {link['id'][:_SHORT_KEY]}: {link['relationship']}")


def show_activities(activities: Sequence[Document]) -> None:
    """How many activities of each type were announced, and the last one of each."""
    _heading("Announced", "as `release-consumer activity tail` reads it")
    last = {activity["type"]: activity for activity in sorted(activities, key=lambda activity: str(activity["time"]))}
    counts = Counter(activity["type"] for activity in activities)
    print_table(
        ("      COUNT", "TYPE", "THE LAST ONE"),
        [
            (f"      {counts[type_]:5}", type_, f"{activity['subject']}  {_essence(activity['data'])}".rstrip())
            for type_, activity in sorted(last.items())
        ],
    )


def _heading(title: str, source: str) -> None:
    click.echo(f"\n      {click.style(title, bold=True)}, {click.style(source, dim=True)}")


def _authors(authors: Sequence[Document]) -> str | None:
    names = [cell(author["name"] or author["email"]) for author in authors[:_AUTHORS_NAMED]]
    more = len(authors) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "") or None


def _essence(data: Document) -> str:
    """The data of an activity that its type and subject do not tell, on one line."""
    facts = []
    if "shortId" in data:
        facts.append(f"in {data['version']}")
    if data.get("actor"):
        facts.append(f"by {data['actor']['name'] or data['actor']['email']}")
    facts += [f"{name} {data[name]}" for name in ("provider", "key", "status", "commitCount") if name in data]
    return ", ".join(facts)
