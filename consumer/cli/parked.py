"""``parked``: events that wait in the database until they can be applied."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from consumer.cli.choosing import (
    all_option,
    check_choice,
    confirm_all,
    ids_argument,
    skipped_document,
    tell_skipped,
    yes_option,
)
from consumer.cli.database import reading, writing
from consumer.cli.orphans import unread_streams
from consumer.cli.output import counted, json_option, print_json, print_table
from consumer.cli.progress import Progress
from consumer.cli.waiting import HOW_TO_START, timeout_option, wait_for_workers, wait_option
from consumer.errors import UsageError
from consumer.ops.orphans import adopt as adopt_orphans
from consumer.ops.parked import Filters, Retry, choose
from consumer.ops.parked import discard as discard_events
from consumer.services import resolve_service
from consumer.settings import load_settings
from consumer.store.reading.documents import MAX_PAGE
from consumer.store.reading.parked import list_parked

if TYPE_CHECKING:
    from collections.abc import Sequence

_key_option = click.option("--key", help="Only events of this key, such as acme:1.0.")
_type_option = click.option("--type", "event_type", help="Only events of this type, such as commits-pushed.")
_topic_option = click.option("--topic", help="Only events that came by this topic.")
_partition_option = click.option("--partition", type=click.IntRange(min=0), help="Only those of this partition of it.")


@click.group()
def parked() -> None:
    """Events that wait in the database until they can be applied; try them at once, or discard them.

    \b
    Example:
      release-consumer parked list
    """


@parked.command("list")
@_key_option
@_type_option
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=MAX_PAGE, show_default=True, help="Events of the page."
)
@click.option("--cursor", help="nextCursor of the page before.")
@json_option
def list_(*, key: str | None, event_type: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """List waiting events, in the order in which they began to wait.

    BEHIND is the event of the same key that must be applied before; only one that is behind none is tried.

    \b
    Example:
      release-consumer parked list --key acme:1.0 --json
    """
    with reading() as connection:
        page = list_parked(connection, key=key, event_type=event_type, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    if not page["parked"]:
        click.echo("nothing waits", err=True)
        return
    print_table(
        ("ID", "KEY", "RECORD", "TYPE", "ATTEMPTS", "NEXT ATTEMPT", "WAITING SINCE", "BEHIND", "REASON"),
        [
            (
                event["id"],
                event["eventKey"],
                f"{event['topic']}/{event['partition']}@{event['offset']}",
                event["eventType"],
                event["attempts"],
                event["nextAttemptAt"],
                event["waitingSince"],
                event["behind"],
                event["reason"],
            )
            for event in page["parked"]
        ],
    )
    if page["nextCursor"]:
        click.echo(f"more: --cursor {page['nextCursor']}", err=True)


@parked.command()
@ids_argument
@all_option
@_key_option
@_type_option
@_topic_option
@_partition_option
@wait_option
@timeout_option
@json_option
def retry(
    *,
    ids: Sequence[int],
    everything: bool,
    key: str | None,
    event_type: str | None,
    topic: str | None,
    partition: int | None,
    wait: bool,
    timeout_seconds: float,
    as_json: bool,
) -> None:
    """Let waiting events be tried at once. Of those of one key only the first is tried; the others follow it.

    Waits until they were tried. Exits with 1 where one waits on, for a next attempt, or is a dead letter now.

    \b
    Example:
      release-consumer parked retry --all
    """
    check_choice(ids, key, event_type, topic, everything=everything)
    filters = _filters(key, event_type, topic, partition)
    settings = load_settings()
    with writing(settings, "parked retry") as engine:
        with engine.connect() as connection:
            chosen = choose(connection, filters, ids=ids, unread=unread_streams(settings, connection))
        tell_skipped("parked event", chosen.skipped)
        trial = Retry(engine)
        progress = Progress("queueing", len(chosen.waiting))
        trial.start(chosen, progress.update)
        progress.close()
        ended = not (wait and trial.started) or wait_for_workers("trying", trial.started, trial.look, timeout_seconds)
    counts = {
        "retried": trial.started,
        "applied": trial.fates["applied"],
        "dead": trial.fates["dead"],
        "discarded": trial.fates["discarded"],
        "waiting": trial.waiting,
    }
    if as_json:
        print_json(counts | {"skipped": skipped_document(chosen.skipped)})
    click.echo(
        f"{counted(trial.started, 'event')} made due: {counts['applied']} applied, {counts['dead']} dead,"
        f" {counts['discarded']} discarded, {trial.waiting} waiting",
        err=True,
    )
    if not ended:
        message = f"{counted(trial.waiting, 'event was', 'events were')} not tried; {HOW_TO_START}"
        raise UsageError(message)
    if trial.waiting:
        waiting = counted(trial.waiting, "event waits on", "events wait on")
        message = f"{waiting}, see why, and when the next attempt is: `release-consumer parked list`"
        raise UsageError(message)
    if trial.fates["dead"]:
        dead = counted(trial.fates["dead"], "event is a dead letter", "events are dead letters")
        message = f"{dead}; see `release-consumer dead-letters list`"
        raise UsageError(message)


@parked.command()
@ids_argument
@all_option
@_key_option
@_type_option
@_topic_option
@_partition_option
@yes_option
@json_option
def discard(
    *,
    ids: Sequence[int],
    everything: bool,
    key: str | None,
    event_type: str | None,
    topic: str | None,
    partition: int | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Give up waiting events: they become dead letters that are discarded, and those behind them go on.

    \b
    Example:
      release-consumer parked discard 7
      release-consumer parked discard --topic release-events --partition 5
    """
    check_choice(ids, key, event_type, topic, everything=everything)
    filters = _filters(key, event_type, topic, partition)
    settings = load_settings()
    with writing(settings, "parked discard") as engine:
        with engine.connect() as connection:
            chosen = choose(connection, filters, ids=ids)
        tell_skipped("parked event", chosen.skipped)
        confirm_all(len(chosen.waiting), "waiting events", everything=everything, yes=yes)
        progress = Progress("discarding", len(chosen.waiting))
        discarded = discard_events(engine, chosen, settings.max_event_bytes, progress.update)
        progress.close()
    if as_json:
        print_json({"discarded": discarded, "skipped": skipped_document(chosen.skipped)})
    click.echo(f"{counted(discarded, 'event')} discarded", err=True)


@parked.command()
@json_option
def adopt(*, as_json: bool) -> None:
    """Let workers see to what waits in partitions that nobody reads any more.

    Such are those of a topic that has another name in the settings now, or fewer partitions than it had, or was on
    another cluster. Their events are tried by the owner of a partition that is read, before later events of their
    keys; what was not announced is announced, with the ids it had. Nothing is discarded: for that there is
    `parked discard --topic`.

    \b
    Example:
      release-consumer parked adopt
    """
    settings = load_settings()
    servers = resolve_service(settings, "kafka")
    with writing(settings, "parked adopt") as engine:
        adopted = adopt_orphans(engine, settings, servers)
    if as_json:
        print_json({"adopted": [asdict(one) for one in adopted]})
        return
    if not adopted:
        click.echo("all partitions that the group has read are read", err=True)
        return
    print_table(
        ("PARTITION", "HEIR", "PARKED", "ANNOUNCEMENTS"),
        [(one.orphan, one.heir, one.parked, one.announcements) for one in adopted],
    )


def _filters(key: str | None, event_type: str | None, topic: str | None, partition: int | None) -> Filters:
    if partition is not None and topic is None:
        message = "--partition needs --topic: which is it of?"
        raise click.UsageError(message)
    return Filters(key, event_type, topic, partition)
