"""``replay``: events go through again while workers run."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from consumer.announce.group_offsets import GroupOffsets
from consumer.cli.database import writing
from consumer.cli.output import cell, counted, json_option, marked, print_json_line
from consumer.cli.progress import Progress
from consumer.cli.waiting import HOW_TO_START, timeout_option, wait_for_workers, wait_option
from consumer.contracts.timestamps import parse_timestamp
from consumer.errors import UsageError
from consumer.intake.kafka import Cluster
from consumer.ops.foresight import foresee
from consumer.ops.replay import Again, Route, Start, count_revived, find_route, look, move, refuse_cut
from consumer.ops.waiting import State
from consumer.services import resolve_service
from consumer.settings import Settings, load_settings
from consumer.store.reading.records import to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

_OFFSET = re.compile(r"(\d+):(\d+)")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


@click.command()
@click.argument("topic")
@click.option(
    "--from-offset", "offsets", multiple=True, metavar="PARTITION:OFFSET", help="From this offset on; may be repeated."
)
@click.option("--from-time", "time", metavar="TIME", help="From the first event on that is not older (RFC 3339).")
@click.option("--all", "everything", is_flag=True, help="From the oldest event on that Kafka still has.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell of each event what would become of it.")
@click.option("--force", is_flag=True, help="Apply events again, whatever says that they were applied.")
@click.option("--reannounce", is_flag=True, help="Announce again what the events caused, marked replayed.")
@wait_option
@timeout_option
@json_option
def replay(
    *,
    topic: str,
    offsets: Sequence[str],
    time: str | None,
    everything: bool,
    dry_run: bool,
    force: bool,
    reannounce: bool,
    wait: bool,
    timeout_seconds: float,
    as_json: bool,
) -> None:
    """Let the events of the input TOPIC go through again, while workers run.

    Without options an event that had its fate is passed over: nothing is changed, nothing announced. With --force
    it is applied again, dead letters included; what it caused before is not announced again. With --reannounce that
    is announced again, with the ids it had.

    With --json: an object a line for each event (--dry-run), then one for all.

    \b
    Example:
      release-consumer replay release-events --from-time 2026-01-31T08:00:00Z --dry-run
      release-consumer replay release-events --from-offset 0:1200 --from-offset 3:900 --force
    """
    settings = load_settings()
    if topic not in settings.topics.inputs:
        message = f"is not an input topic; those are {' and '.join(settings.topics.inputs)}"
        raise click.BadParameter(message, param_hint="TOPIC")
    start = _start(offsets, time, everything=everything)
    servers = resolve_service(settings, "kafka")
    with writing(settings, "replay") as engine:
        with engine.connect() as connection:
            route = find_route(connection, Cluster(settings, servers), settings.group_id, topic, start)
        for remark in route.remarks:
            click.echo(remark, err=True)
        if dry_run:
            _tell(engine, settings, servers, route, force=force, reannounce=reannounce, as_json=as_json)
            return
        run = _Run(engine, settings, servers, route, reannounce=reannounce)
        run.start(force=force)
        ended = not wait or run.wait(timeout_seconds)
        run.report(force=force, ended=ended and wait, as_json=as_json)
    if not ended:
        message = f"the replay of {topic} is not at its end: nothing moved for {timeout_seconds:g} s; {HOW_TO_START}"
        raise UsageError(message)


def _start(offsets: Sequence[str], time: str | None, *, everything: bool) -> Start:
    if bool(offsets) + (time is not None) + everything != 1:
        message = "say where to begin: --from-offset PARTITION:OFFSET, --from-time TIME, or --all"
        raise click.UsageError(message)
    if time is not None:
        return _instant(time)
    if everything:
        return None
    found: dict[int, int] = {}
    for text in offsets:
        match = _OFFSET.fullmatch(text)
        if match is None or int(match[1]) in found:
            message = f"{text!r} is not PARTITION:OFFSET such as 3:1200, each partition once"
            raise click.BadParameter(message, param_hint="--from-offset")
        found[int(match[1])] = int(match[2])
    return found


def _instant(text: str) -> datetime:
    try:
        if _INSTANT.fullmatch(text):
            return parse_timestamp(text)
    except ValueError:
        pass
    message = f"{text!r} is not a time with its offset such as 2026-01-31T08:00:00Z"
    raise click.BadParameter(message, param_hint="--from-time")


def _tell(
    engine: Engine, settings: Settings, servers: str, route: Route, *, force: bool, reannounce: bool, as_json: bool
) -> None:
    """The dry run: a line for each event, then how many of each fate."""
    fates: Counter[str] = Counter()
    announced = 0
    for event in foresee(engine, settings, servers, route.spans, force=force, reannounce=reannounce):
        fates[event.fate] += 1
        announced += len(event.announced)
        if as_json:
            print_json_line(event.document())
        else:
            record = event.record
            place = f"{record.topic}-{record.partition}@{record.offset}"
            key = cell(marked(*to_text(record.key)))
            click.echo(f"{place}  {cell(event.type)}  {key}  {cell(event.event_id)}  {cell(event.words)}")
    if as_json:
        print_json_line({"summary": {"events": fates.total(), "fates": dict(fates), "announcedAgain": announced}})
    told = ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())) or "none"
    again = f"; {counted(announced, 'activity', 'activities')} announced again" if reannounce else ""
    click.echo(f"dry run, nothing is changed: {counted(fates.total(), 'event')}: {told}{again}", err=True)


class _Run:
    """A replay that really happens."""

    def __init__(self, engine: Engine, settings: Settings, servers: str, route: Route, *, reannounce: bool) -> None:
        self._engine = engine
        self._settings = settings
        self._servers = servers
        self._route = route
        self._again = Again(engine, route.spans if reannounce else [])
        self._ends: dict[int, int] = {}
        self._begun = datetime.now(UTC)

    def start(self, *, force: bool) -> None:
        refuse_cut(self._route.spans, force=force)
        # First, so that what a forced replay causes anew is not announced twice.
        progress = Progress("queueing announcements", self._route.offsets)
        self._again.queue(progress.update)
        progress.close()
        with self._engine.connect() as connection:
            self._begun = connection.exec_driver_sql("SELECT now()").scalar_one()
        if self._route.spans:
            self._ends = move(self._engine, self._route.spans, force=force)

    def wait(self, timeout_seconds: float) -> bool:
        with closing(GroupOffsets(self._settings, self._servers)) as group:

            def look_at_both() -> State:
                state = look(self._engine, self._route.spans, self._ends)
                finished = state.finished and self._again.is_announced(group)
                return State(state.done, finished, state.sign_of_life)

            return wait_for_workers("replaying", self._offsets, look_at_both, timeout_seconds)

    @property
    def _offsets(self) -> int:
        return sum(self._ends[span.stream_id] - span.start for span in self._route.spans)

    def report(self, *, force: bool, ended: bool, as_json: bool) -> None:
        revived = count_revived(self._engine, self._route.spans, self._begun) if force else 0
        if as_json:
            partitions = [
                {"topic": span.topic, "partition": span.partition, "from": span.start, "to": self._ends[span.stream_id]}
                for span in self._route.spans
            ]
            print_json_line(
                {
                    "summary": {
                        "partitions": partitions,
                        "finished": ended,
                        "passedOver": 0 if force else self._offsets,
                        "triedAgain": self._offsets if force else 0,
                        "deadLettersApplied": revived,
                        "announcedAgain": self._again.announcements,
                    }
                }
            )
        done = "gone through again" if force else "passed over"
        applied = f", {counted(revived, 'dead letter')} applied" if force else ""
        state = "" if ended else " (under way)"
        click.echo(
            f"{counted(self._offsets, 'offset')} {done}{applied},"
            f" {counted(self._again.announcements, 'activity', 'activities')} announced again{state}",
            err=True,
        )
