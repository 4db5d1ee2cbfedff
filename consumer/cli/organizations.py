"""``organizations``: what the database knows of organizations."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import click

from consumer.cli.database import reading
from consumer.cli.output import json_option, print_fields, print_json, print_section
from consumer.store.reading.organizations import read_picture, show_organization

if TYPE_CHECKING:
    from consumer.store.reading.documents import Document


@click.group()
def organizations() -> None:
    """Read organizations.

    \b
    Example:
      release-consumer organizations show acme
    """


@organizations.command()
@click.argument("slug")
@json_option
def show(*, slug: str, as_json: bool) -> None:
    """Show the organization SLUG: its details, every option with the value that holds, flags and avatar.

    \b
    Example:
      release-consumer organizations show acme --json
    """
    with reading() as connection:
        organization = show_organization(connection, slug)
    if as_json:
        print_json(organization)
    else:
        _print_organization(organization)


@organizations.command()
@click.argument("slug")
@click.option(
    "--output",
    type=click.File("wb", lazy=True),
    default="-",
    show_default=True,
    metavar="FILE|-",
    help="Where the picture goes; -: to standard output.",
)
def avatar(*, slug: str, output: BinaryIO) -> None:
    """Write the picture of the organization SLUG, as it was uploaded: a GIF, JPEG or PNG.

    \b
    Example:
      release-consumer organizations avatar acme --output acme.png
    """
    with reading() as connection:
        picture = read_picture(connection, slug)
    output.write(picture)


def _print_organization(organization: Document) -> None:
    avatar = organization["avatar"]
    print_fields(
        [
            ("organization", organization["slug"]),
            ("name", organization["name"]),
            ("id", organization["id"]),
            ("created", organization["dateCreated"]),
            ("default role", organization["defaultRole"]),
            ("avatar", avatar["type"]),
            ("avatar file", avatar["fileName"]),
            ("avatar ident", avatar["ident"]),
            ("avatar color", avatar["color"]),
        ]
    )
    print_section("Options", ("OPTION", "VALUE"), list(organization["options"].items()))
    print_section("Flags", ("FLAG", "VALUE"), list(organization["flags"].items()))
