"""``groups``: what the database knows of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import orjson

from consumer.cli.database import reading
from consumer.cli.output import json_option, person, print_fields, print_json, print_section
from consumer.store.reading.groups import show_group

if TYPE_CHECKING:
    from consumer.store.reading.documents import Document


@click.group()
def groups() -> None:
    """Read groups (issues of a project).

    \b
    Example:
      release-consumer groups show --organization acme WEB-12
    """


@groups.command()
@click.option("--organization", required=True, help="Slug of the organization.")
@click.argument("short_id")
@json_option
def show(*, organization: str, short_id: str, as_json: bool) -> None:
    """Show the group SHORT_ID: its status, inbox reason, resolution, links and activity.

    \b
    Example:
      release-consumer groups show --organization acme WEB-12 --json
    """
    with reading() as connection:
        group = show_group(connection, organization, short_id)
    if as_json:
        print_json(group)
    else:
        _print_group(group)


def _print_group(group: Document) -> None:
    print_fields(
        [
            ("group", group["shortId"]),
            ("organization", group["organization"]),
            ("project", group["project"]),
            ("title", group["title"]),
            ("status", group["status"]),
            ("inbox", group["inbox"]),
            ("resolution", _resolution(group["resolution"])),
        ]
    )
    print_section(
        "Links",
        ("TYPE", "ID", "RELATIONSHIP"),
        [(link["type"], link["id"], link["relationship"]) for link in group["links"]],
    )
    print_section(
        "Activity, oldest first",
        ("CREATED", "TYPE", "DATA"),
        [(entry["dateCreated"], entry["type"], orjson.dumps(entry["data"]).decode()) for entry in group["activity"]],
    )


def _resolution(resolution: Document | None) -> str | None:
    if resolution is None:
        return None
    by = person(resolution["actor"])
    return f"{resolution['type']} {resolution['release']}, {resolution['status']}" + (f", by {by}" if by else "")
