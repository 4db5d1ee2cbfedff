"""``demo``: the main job on real services, shown to somebody who has never seen it."""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from consumer.cli.demo_report import Steps, show_activities, show_group, show_releases, tell
from consumer.cli.options import data_option
from consumer.cli.output import counted, json_option
from consumer.client import Publisher
from consumer.demo import history
from consumer.demo.borrowed import borrowed_services
from consumer.demo.place import own_place
from consumer.demo.state import read_fates, read_state
from consumer.demo.worker import announced, run_until_caught_up, set_up
from consumer.errors import InvalidEvent, UsageError
from consumer.settings import Settings, load_settings
from consumer.store.database import connect
from consumer.store.reading.groups import show_group as read_group
from consumer.store.reading.releases import list_releases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from consumer.client import Document
    from consumer.demo.history import History

TERMINATED = 143


@click.command()
@click.option(
    "--git",
    "path",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=".",
    help="Git repository whose history is published; default: the one of this folder.",
)
@data_option
@json_option
def demo(*, path: Path, data: Path | None, as_json: bool) -> None:
    """Show the main job: git history in, releases and resolved issues in PostgreSQL, announcements out.

    Everything is real: Kafka, PostgreSQL and Redis are those that the settings name, else those of the stack, started
    if they are down. The demo works in a database and topics of its own, removes them at the end, and stops what it
    started. With --json, the summary is printed on stdout and the story on stderr.

    \b
    Example:
      release-consumer demo
      release-consumer demo --git ../another-repository --json
    """
    with _sigterm_cleans_up(), ExitStack() as resources:
        if as_json:
            resources.enter_context(redirect_stdout(sys.stderr))
        try:
            summary = _Demo(load_settings(stack_data=data), path).play()
        except KeyboardInterrupt:
            click.echo("\ninterrupted; what the demo had started is stopped", err=True)
            raise
    if as_json:
        click.echo(json.dumps(summary, indent=2))


class _Demo:
    """The steps of the demo, in order.

    Args:
        settings: of the user.
        path: the git repository.
    """

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self._steps = Steps(total=8)
        self._now = datetime.now(UTC)

    def play(self) -> dict[str, Any]:
        click.secho("release-consumer: releases and resolved issues, from Kafka to PostgreSQL, exactly once", bold=True)
        with self._steps.step("read", "Read the history of a real git repository"):
            read = self._read_history()
            added = history.added_events(read.repository, self._now)
            _tell_history(read, added)
        events = [*read.events, *added]
        with ExitStack() as stopping:
            summary = self._play_on_services(stopping, events)
            with self._steps.step("stop", "Remove the demo's database and topics, stop what it started"):
                stopping.close()
        _require_unchanged(summary["again"])
        seconds = self._steps.total_seconds
        click.secho(f"\nDone in {seconds:.0f} s.", bold=True)
        click.echo("Next: README.md says how to publish your own releases and run workers.")
        return {
            "git": {
                "repository": read.repository,
                "releases": read.releases,
                "commits": read.commits,
                "cut": read.cut,
            },
            "added": [{"type": event["type"], "id": event["id"]} for event in added],
            **summary,
            "seconds": {**self._steps.seconds, "total": seconds},
        }

    def _read_history(self) -> History:
        try:
            return history.read_history(self._path, lambda text: tell(f"note: {text}"))
        except UsageError as error:
            msg = f"{error} (release-consumer demo --git FOLDER, or make demo GIT=FOLDER)"
            raise UsageError(msg) from None

    def _play_on_services(self, stopping: ExitStack, events: Sequence[Document]) -> dict[str, Any]:
        with self._steps.step("start", "Bring up Kafka, PostgreSQL and Redis"):
            services = stopping.enter_context(borrowed_services(self._settings, tell))
        with self._steps.step("set up", "Make a database and topics of the demo's own: release-consumer setup"):
            place = stopping.enter_context(own_place(services, self._settings.stack_data))
            set_up(place)
            tell(f"named {place.group_id}; what you keep in yours is not touched")
        with self._steps.step("publish", f"Publish {len(events)} events to Kafka, as CI would"):
            published = _publish(place, events)
        engine = connect(place.database_url or "", application_name="release-consumer demo")
        stopping.callback(engine.dispose)
        with self._steps.step("consume", "Run a worker until it has caught up: release-consumer run --until-caught-up"):
            _consume(place, engine, len(events))
            fates = read_fates(engine)
            tell(f"{counted(fates['applied'], 'event')} applied, {fates['dead']} refused as dead letters")
        with self._steps.step("look", "See what happened"):
            releases, group = _read(engine)
            activities = announced(place)
            show_releases(releases)
            show_group(group)
            show_activities(activities)
        rerun = history.sent_by_a_rerun(events)
        title = f"Publish it all again: the same {len(events)} events, and {len(rerun)} of them once more under new ids"
        with self._steps.step("again", title):
            again = self._again(place, engine, [*events, *rerun], activities)
        return {
            "published": published,
            "fates": fates,
            "releases": releases,
            "group": group,
            "activities": dict(Counter(activity["type"] for activity in activities)),
            "again": again,
        }

    def _again(
        self, place: Settings, engine: Engine, events: Sequence[Document], activities: Sequence[Document]
    ) -> dict[str, Any]:
        before, fates_before = read_state(engine), read_fates(engine)
        _publish(place, events)
        _consume(place, engine, sum(fates_before.values()) + len(events))
        after, fates = read_state(engine), read_fates(engine)
        new = len(announced(place)) - len(activities)
        duplicates = fates["duplicate"] - fates_before["duplicate"]
        tell(f"{duplicates} were known by their ids; {len(events) - duplicates} had new ids but nothing new to say")
        tell(f"rows before: {sum(before.rows.values())}, digest of all {len(before.rows)} tables {before.digest[:16]}")
        tell(f"rows after:  {sum(after.rows.values())}, digest of all {len(after.rows)} tables {after.digest[:16]}")
        verdict = "nothing changed" if before == after else "THE DATABASE CHANGED"
        tell(f"{verdict}; {new or 'nothing'} announced")
        return {
            "published": len(events),
            "duplicates": duplicates,
            "unchanged": before == after,
            "rowsBefore": before.rows,
            "rowsAfter": after.rows,
            "digestBefore": before.digest,
            "digestAfter": after.digest,
            "announced": new,
        }


def _tell_history(read: History, added: Sequence[Document]) -> None:
    made = "too few tags: the demo cuts the history itself" if read.cut else "one per tag"
    commits, releases = counted(read.commits, "commit"), counted(read.releases, "release")
    tell(f"{read.repository}: {commits} in {releases} ({made})")
    tell(f"The demo adds {len(added)} events of its own, so that there is an issue to resolve:")
    tell(f"  group-updated    issue {history.GROUP} is open, in the inbox, and tracked on GitHub too")
    tell(f"  release-created  release {history.VERSION}")
    tell(f'  commits-pushed   one commit of {history.VERSION}, whose message says "Fixes {history.GROUP}"')


def _publish(place: Settings, events: Sequence[Document]) -> dict[str, int]:
    with Publisher(place, place.kafka_bootstrap_servers or "") as publisher:
        for event in events:
            try:
                publisher.publish(event)
            except InvalidEvent as error:
                msg = f"the history cannot be published: {event['data']['version']}: {error}; name another by --git"
                raise UsageError(msg) from None
    names = {topic: name for name, topic in place.topics.model_dump().items()}
    counts = {names[topic].replace("_", "-"): count for topic, count in sorted(publisher.delivered.items())}
    tell(", ".join(f"{count} to {topic}" for topic, count in counts.items()))
    return counts


def _consume(place: Settings, engine: Engine, expected: int) -> None:
    """Run a worker; on a terminal a bar shows how far it is."""
    hidden = not sys.stderr.isatty()
    done = sum(read_fates(engine).values())
    with click.progressbar(length=expected - done, label="      worker", file=sys.stderr, hidden=hidden) as bar:

        def tick() -> None:
            bar.update(sum(read_fates(engine).values()) - done - bar.pos)

        run_until_caught_up(place, tick)
        tick()


def _read(engine: Engine) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with closing(engine.connect()) as connection:
        reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        releases = list_releases(reading, history.ORGANIZATION, history.PROJECT)["releases"]
        return releases, read_group(reading, history.ORGANIZATION, history.GROUP)


def _require_unchanged(again: dict[str, Any]) -> None:
    if again["unchanged"] and not again["announced"]:
        return
    msg = "publishing everything again made a difference, which must not be; please report it with the lines above"
    raise UsageError(msg)


@contextmanager
def _sigterm_cleans_up() -> Iterator[None]:
    """End on SIGTERM the way an exception does: stopping what was started."""

    def terminate(*_: object) -> NoReturn:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
