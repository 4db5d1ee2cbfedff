"""What commands print on stdout: JSON documents, or plain text and aligned tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import orjson

from consumer.store.reading.records import BASE64

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

NOTHING = "-"
"""Stands where there is no value."""


def print_json(document: object) -> None:
    """Print one JSON document, indented."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def print_json_line(document: object) -> None:
    """Print one JSON document of a stream on a line of its own; it is out at once."""
    click.echo(orjson.dumps(document))


def print_table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Print lines under a header in aligned columns; ``None`` shows as ``-``."""
    table = [list(header), *([cell(value) for value in line] for line in lines)]
    widths = [max(len(line[column]) for line in table) for column in range(len(header))]
    for line in table:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def print_fields(fields: Iterable[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    pairs = [(name, cell(value)) for name, value in fields]
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        click.echo(f"{name.ljust(width)}  {value}")


def print_section(title: str, header: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
    """Print a titled table after an empty line; nothing where it has no lines."""
    if lines:
        click.echo(f"\n{title}")
        print_table(header, lines)


def cell(value: object) -> str:
    """A value on one line: lists separated by commas, line breaks and control characters as escapes."""
    if value is None or value == []:
        return NOTHING
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in str(value))


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number with its noun, such as ``1 event`` and ``2 events``."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def marked(text: str | None, encoding: str | None) -> str | None:
    """A text of a record with a mark where it is not the bytes themselves."""
    return f"{text} ({BASE64})" if encoding == BASE64 else text


def person(author: dict[str, Any] | None) -> str | None:
    """An author or actor as people write them."""
    if author is None:
        return None
    return f"{author['name'] or ''} <{author['email'] or ''}>".strip()
