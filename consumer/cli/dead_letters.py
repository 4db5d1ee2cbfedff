"""``dead-letters``: events that could not be applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from consumer.cli.database import reading
from consumer.cli.output import json_option, print_fields, print_json, print_section, print_table
from consumer.store.reading.dead_letters import list_dead_letters, show_dead_letter
from consumer.store.reading.documents import MAX_PAGE

if TYPE_CHECKING:
    from consumer.store.reading.documents import Document


@click.group()
def dead_letters() -> None:
    """Read dead letters: events that could not be applied, and why.

    \b
    Example:
      release-consumer dead-letters list
    """


@dead_letters.command("list")
@click.option("--reason", help="Only those with this reason, such as schema.")
@click.option("--type", "event_type", help="Only those of events of this type, such as commits-pushed.")
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=MAX_PAGE, show_default=True, help="Dead letters of the page."
)
@click.option("--cursor", help="nextCursor of the page before.")
@json_option
def list_(*, reason: str | None, event_type: str | None, limit: int, cursor: str | None, as_json: bool) -> None:
    """List dead letters, newest first.

    In JSON, the key, the header values and the value of the record are text, or base64 where they are not UTF-8.

    \b
    Example:
      release-consumer dead-letters list --reason schema --type commits-pushed --json
    """
    with reading() as connection:
        page = list_dead_letters(connection, reason=reason, event_type=event_type, limit=limit, cursor=cursor)
    if as_json:
        print_json(page)
        return
    if not page["deadLetters"]:
        click.echo("no dead letters", err=True)
        return
    print_table(
        ("ID", "DEAD AT", "RECORD", "KEY", "TYPE", "REASON", "FIRST ERROR"),
        [
            (
                dead_letter["id"],
                dead_letter["deadAt"],
                _record(dead_letter),
                dead_letter["key"],
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


def _print_dead_letter(dead_letter: Document) -> None:
    print_fields(
        [
            ("id", dead_letter["id"]),
            ("record", _record(dead_letter)),
            ("key", dead_letter["key"]),
            ("type", dead_letter["eventType"]),
            ("reason", dead_letter["reason"]),
            ("dead at", dead_letter["deadAt"]),
        ]
    )
    print_section("Errors", ("PATH", "MESSAGE"), [(error["path"], error["message"]) for error in dead_letter["errors"]])
    print_section("Headers", ("NAME", "VALUE"), dead_letter["headers"])
    if dead_letter["value"] is not None:
        click.echo(f"\nValue\n{dead_letter['value']}")


def _record(dead_letter: Document) -> str:
    return f"{dead_letter['topic']}/{dead_letter['partition']}@{dead_letter['offset']}"
