"""``dead-letters``: events that could not be applied."""

from __future__ import annotations

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
from consumer.cli.options import one_of
from consumer.cli.orphans import unread_streams
from consumer.cli.output import counted, json_option, marked, print_fields, print_json, print_section, print_table
from consumer.cli.progress import Progress
from consumer.cli.waiting import HOW_TO_START, timeout_option, wait_for_workers, wait_option
from consumer.codes import DeadLetterStatus
from consumer.contracts.schemas import dead_letter_reasons
from consumer.errors import UsageError
from consumer.ops.dead_letters import Replay, choose
from consumer.ops.dead_letters import discard as discard_letters
from consumer.settings import load_settings
from consumer.store.reading.dead_letters import OPEN, list_dead_letters, show_dead_letter
from consumer.store.reading.documents import MAX_PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.store.reading.documents import Document

_STATUSES = {"open": OPEN, **{status.label: (status,) for status in DeadLetterStatus}, "all": tuple(DeadLetterStatus)}

_reason_option = click.option(
    "--reason",
    metavar="WORD",
    callback=one_of("reason", dead_letter_reasons),
    help="Only those with this reason, such as schema.",
)
_type_option = click.option("--type", "event_type", help="Only those of events of this type, such as commits-pushed.")


@click.group()
def dead_letters() -> None:
    """Dead letters: events that could not be applied, and why; try them again, or discard them.

    \b
    Example:
      release-consumer dead-letters list
      release-consumer dead-letters replay 17
    """


@dead_letters.command("list")
@_reason_option
@_type_option
@click.option(
    "--status",
    type=click.Choice(list(_STATUSES)),
    default="open",
    show_default=True,
    help="Only those that this became of; open: dead and replaying.",
)
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=MAX_PAGE, show_default=True, help="Dead letters of the page."
)
@click.option("--cursor", help="nextCursor of the page before.")
@json_option
def list_(
    *, reason: str | None, event_type: str | None, status: str, limit: int, cursor: str | None, as_json: bool
) -> None:
    """List dead letters, newest first. Their values, which may be large, are told by `show`; valueBytes is the size.

    In JSON, keyEncoding and headerEncodings (one for each header) say whether a text is utf-8, or base64 of what is
    not.

    \b
    Example:
      release-consumer dead-letters list --reason schema --type commits-pushed --json
    """
    with reading() as connection:
        page = list_dead_letters(
            connection,
            reason=reason,
            event_type=event_type,
            statuses=_STATUSES[status],
            limit=limit,
            cursor=cursor,
        )
    if as_json:
        print_json(page)
        return
    if not page["deadLetters"]:
        click.echo("no dead letters", err=True)
        return
    print_table(
        ("ID", "STATUS", "DEAD AT", "RECORD", "KEY", "TYPE", "REASON", "FIRST ERROR"),
        [
            (
                dead_letter["id"],
                dead_letter["status"],
                dead_letter["deadAt"],
                _record(dead_letter),
                marked(dead_letter["key"], dead_letter["keyEncoding"]),
                dead_letter["eventType"],
                dead_letter["reason"],
                next((f"{error['path']}: {error['message']}" for error in dead_letter["errors"]), None),
            )
            for dead_letter in page["deadLetters"]
        ],
    )
    if page["nextCursor"]:
        click.echo(f"more: --cursor {page['nextCursor']}", err=True)


@dead_letters.command()
@click.argument("dead_letter_id", metavar="ID", type=int)
@json_option
def show(*, dead_letter_id: int, as_json: bool) -> None:
    """Show the dead letter ID: the record as it came in, and every error found in it.

    \b
    Example:
      release-consumer dead-letters show 17 --json
    """
    with reading() as connection:
        dead_letter = show_dead_letter(connection, dead_letter_id)
    if as_json:
        print_json(dead_letter)
    else:
        _print_dead_letter(dead_letter)


@dead_letters.command()
@ids_argument
@all_option
@_reason_option
@_type_option
@wait_option
@timeout_option
@json_option
def replay(
    *,
    ids: Sequence[int],
    everything: bool,
    reason: str | None,
    event_type: str | None,
    wait: bool,
    timeout_seconds: float,
    as_json: bool,
) -> None:
    """Try dead letters again in place, after their cause is gone: each among the events of its key, by its arrival.

    One that fails again is dead again, with what is wrong now. Exits with 1 where one did, or where some still wait.

    \b
    Example:
      release-consumer dead-letters replay 17 18
      release-consumer dead-letters replay --reason unknown-release
    """
    check_choice(ids, reason, event_type, everything=everything)
    settings = load_settings()
    with writing(settings, "dead-letters replay") as engine:
        with engine.connect() as connection:
            unread = unread_streams(settings, connection)
            chosen = choose(connection, ids=ids, reason=reason, event_type=event_type, unread=unread)
        tell_skipped("dead letter", chosen.skipped)
        trial = Replay(engine, settings.max_event_bytes)
        progress = Progress("queueing", len(chosen.open))
        trial.start(chosen, progress.update)
        progress.close()
        if wait and trial.started:
            wait_for_workers("replaying", trial.started, trial.look, timeout_seconds)
    fates = trial.fates
    counts = {
        "replayed": trial.started,
        "applied": fates["applied"],
        "duplicate": fates["duplicate"],
        "deadAgain": fates["dead"],
        "discarded": fates["discarded"],
        "waiting": trial.waiting,
    }
    if as_json:
        print_json(counts | {"skipped": skipped_document(chosen.skipped)})
    click.echo(
        f"{counted(trial.started, 'dead letter')} tried again: {counts['applied']} applied,"
        f" {counts['duplicate']} duplicate, {counts['deadAgain']} dead again, {counts['discarded']} discarded,"
        f" {trial.waiting} waiting",
        err=True,
    )
    if wait and trial.waiting:
        still = counted(trial.waiting, "dead letter still waits", "dead letters still wait")
        message = f"{still}, see `release-consumer parked list`; {HOW_TO_START}"
        raise UsageError(message)
    if fates["dead"]:
        again = counted(fates["dead"], "is a dead letter again", "are dead letters again")
        message = f"{again}; see `release-consumer dead-letters list`"
        raise UsageError(message)


@dead_letters.command()
@ids_argument
@all_option
@_reason_option
@_type_option
@yes_option
@json_option
def discard(
    *,
    ids: Sequence[int],
    everything: bool,
    reason: str | None,
    event_type: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Close dead letters without trying them again. They are kept until their retention is over.

    \b
    Example:
      release-consumer dead-letters discard 17
      release-consumer dead-letters discard --all --yes
    """
    check_choice(ids, reason, event_type, everything=everything)
    with writing(load_settings(), "dead-letters discard") as engine:
        with engine.connect() as connection:
            chosen = choose(connection, ids=ids, reason=reason, event_type=event_type)
        tell_skipped("dead letter", chosen.skipped)
        confirm_all(len(chosen.open), "dead letters", everything=everything, yes=yes)
        progress = Progress("discarding", len(chosen.open))
        discarded = discard_letters(engine, chosen, progress.update)
        progress.close()
    if as_json:
        print_json({"discarded": discarded, "skipped": skipped_document(chosen.skipped)})
    click.echo(f"{counted(discarded, 'dead letter')} discarded", err=True)


def _print_dead_letter(dead_letter: Document) -> None:
    print_fields(
        [
            ("id", dead_letter["id"]),
            ("status", dead_letter["status"]),
            ("record", _record(dead_letter)),
            ("key", marked(dead_letter["key"], dead_letter["keyEncoding"])),
            ("type", dead_letter["eventType"]),
            ("reason", dead_letter["reason"]),
            ("arrived at", dead_letter["arrivedAt"]),
            ("dead at", dead_letter["deadAt"]),
            ("settled at", dead_letter["settledAt"]),
        ]
    )
    print_section("Errors", ("PATH", "MESSAGE"), [(error["path"], error["message"]) for error in dead_letter["errors"]])
    headers = zip(dead_letter["headers"], dead_letter["headerEncodings"], strict=True)
    print_section(
        "Headers", ("NAME", "VALUE"), [(name, marked(value, encoding)) for (name, value), encoding in headers]
    )
    if dead_letter["value"] is not None:
        click.echo(f"\n{marked('Value', dead_letter['valueEncoding'])}\n{dead_letter['value']}")


def _record(dead_letter: Document) -> str:
    return f"{dead_letter['topic']}/{dead_letter['partition']}@{dead_letter['offset']}"
