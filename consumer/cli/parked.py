"""``parked``: events that wait in the database until they can be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consumer.cli.choosing import all_option, check_choice, confirm_all, ids_argument, tell_skipped, yes_option
from consumer.cli.database import reading, writing
from consumer.cli.output import json_option, print_json, print_table
from consumer.cli.progress import Progress
from consumer.cli.waiting import HOW_TO_START, timeout_option, wait_for_workers, wait_option
from consumer.errors import UsageError
from consumer.ops.parked import Retry, choose
from consumer.ops.parked import discard as discard_events
from consumer.settings import load_settings
from consumer.store.reading.documents import MAX_PAGE
from consumer.store.reading.parked import list_parked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.ops.parked import Chosen

_key_option = click.option("--key", help="Only events of this key, such as acme:1.0.")
_type_option = click.option("--type", "event_type", help="Only events of this type, such as commits-pushed.")


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
        ("ID", "KEY", "TYPE", "ATTEMPTS", "NEXT ATTEMPT", "WAITING SINCE", "BEHIND", "REASON"),
        [
            (
                event["id"],
                event["eventKey"],
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
@wait_option
@timeout_option
@json_option
def retry(
    *,
    ids: Sequence[int],
    everything: bool,
    key: str | None,
    event_type: str | None,
    wait: bool,
    timeout_seconds: float,
    as_json: bool,
) -> None:
    """Let waiting events be tried at once. Of those of one key only the first is tried; the others follow it.

    Waits until they were tried: some may wait on, for a next attempt. Exits with 1 where none was tried.

    \b
    Example:
      release-consumer parked retry --all
    """
    check_choice(ids, key, event_type, everything=everything)
    with writing(load_settings(), "parked retry") as engine:
        with engine.connect() as connection:
            chosen = choose(connection, ids=ids, key=key, event_type=event_type)
        tell_skipped("parked event", _gone(chosen))
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
        print_json(counts | {"skipped": chosen.gone})
    click.echo(
        f"{trial.started} events made due: {counts['applied']} applied, {counts['dead']} dead,"
        f" {counts['discarded']} discarded, {trial.waiting} waiting",
        err=True,
    )
    if not ended:
        message = f"{trial.waiting} events were not tried; {HOW_TO_START}"
        raise UsageError(message)


@parked.command()
@ids_argument
@all_option
@_key_option
@_type_option
@yes_option
@json_option
def discard(
    *, ids: Sequence[int], everything: bool, key: str | None, event_type: str | None, yes: bool, as_json: bool
) -> None:
    """Give up waiting events: they become dead letters that are discarded, and those behind them go on.

    \b
    Example:
      release-consumer parked discard 7
    """
    check_choice(ids, key, event_type, everything=everything)
    settings = load_settings()
    with writing(settings, "parked discard") as engine:
        with engine.connect() as connection:
            chosen = choose(connection, ids=ids, key=key, event_type=event_type)
        tell_skipped("parked event", _gone(chosen))
        confirm_all(len(chosen.waiting), "waiting events", everything=everything, yes=yes)
        progress = Progress("discarding", len(chosen.waiting))
        discarded = discard_events(engine, chosen, settings.max_event_bytes, progress.update)
        progress.close()
    if as_json:
        print_json({"discarded": discarded, "skipped": chosen.gone})
    click.echo(f"{discarded} events discarded", err=True)


def _gone(chosen: Chosen) -> dict[int, str]:
    why = "does not wait: it was applied, or is a dead letter; see `release-consumer dead-letters list`"
    return dict.fromkeys(chosen.gone, why)
