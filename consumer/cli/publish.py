"""``publish``: JSON lines of CloudEvents to Kafka."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from codecs import BOM_UTF8
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

import click
import orjson

from consumer.cli.options import bootstrap_servers_option
from consumer.cli.output import counted, json_option, print_json_line
from consumer.client import Publisher, to_record
from consumer.contracts import decode
from consumer.errors import InvalidEvent, UsageError
from consumer.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.settings import Settings

_CHUNK_BYTES = 1024 * 1024


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--partial", is_flag=True, help="Send the good events although some are bad; still exits 1.")
@bootstrap_servers_option
@json_option
@click.pass_context
def publish(
    context: click.Context, file: IO[bytes], bootstrap_servers: str | None, *, partial: bool, as_json: bool
) -> None:
    """Send events: one CloudEvent in JSON a line (structured mode), from FILE or standard input.

    All are validated before any is sent. Bad ones are listed as `line N: path: message`, and nothing is sent. With
    --json, the counts are printed on stdout.

    \b
    Example:
      release-consumer publish events.jsonl
      generate-events | release-consumer publish --partial -
    """
    settings = load_settings(kafka_bootstrap_servers=bootstrap_servers)
    if file.isatty():
        click.echo("reading events from standard input, one a line; Ctrl-D ends it", err=True)
    with ExitStack() as resources:
        lines = _Lines(resources.enter_context(_seekable(file)), settings.max_event_bytes)
        good, bad = _validate(lines, settings)
        published: dict[str, int] = {}
        if good and (partial or not bad):
            published = _send(lines, bad, settings)
    if not good and not bad:
        click.echo("warning: the input holds no events", err=True)
    report(published, invalid=len(bad), as_json=as_json)
    if bad:
        context.exit(1)


def report(published: dict[str, int], *, invalid: int, as_json: bool) -> None:
    """Say what was sent: a line for people on stderr, and one JSON document on stdout where asked for.

    Args:
        published: events sent, by topic.
        invalid: events left out because they break the contract.
        as_json: print the JSON.
    """
    total = sum(published.values())
    words = ", ".join(f"{count} to {topic}" for topic, count in sorted(published.items())) or "nothing sent"
    left_out = f"; {invalid} invalid" if invalid else ""
    click.echo(f"published {counted(total, 'event')}: {words}{left_out}", err=True)
    if as_json:
        print_json_line({"published": total, "invalid": invalid, "topics": published})


class _Lines:
    """The non-blank lines of a file with their numbers, as often as wanted; keeps one line in memory.

    A line longer than the largest event is cut just beyond that length, so that it is found too large.
    """

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._start = file.tell()
        # Editors and shells of Windows write a mark before the first line.
        self._start += len(BOM_UTF8) if file.read(len(BOM_UTF8)) == BOM_UTF8 else 0
        self.size = file.seek(0, os.SEEK_END) - self._start

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(self._start)
        number = 0
        # Two bytes more than an event may have: room for its line end.
        while line := self._file.readline(self._max_bytes + 2):
            number += 1
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = self._file.readline(_CHUNK_BYTES)
            if event := line.strip():
                yield number, event

    @property
    def position(self) -> int:
        """Bytes gone through so far."""
        return self._file.tell() - self._start


def _seekable(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or a temporary copy of what comes through a pipe: it is read twice."""
    if file.seekable():
        return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    shutil.copyfileobj(file, copy, _CHUNK_BYTES)
    copy.seek(0)
    return copy


def _validate(lines: _Lines, settings: Settings) -> tuple[int, set[int]]:
    """Validate every line; list what is wrong on stderr; return how many are good, and the numbers of the bad ones."""
    good = 0
    bad: set[int] = set()
    for number, line in lines:
        try:
            decode(line, None, max_bytes=settings.max_event_bytes)
            to_record(orjson.loads(line), settings)
        except InvalidEvent as error:
            bad.add(number)
            for violation in error.violations:
                click.echo(f"line {number}: {violation}", err=True)
        else:
            good += 1
    return good, bad


def _send(lines: _Lines, bad: set[int], settings: Settings) -> dict[str, int]:
    hidden = not sys.stderr.isatty()
    with (
        Publisher(settings) as publisher,
        click.progressbar(length=lines.size, label="publishing", file=sys.stderr, hidden=hidden) as progress,
    ):
        for number, line in lines:
            if number not in bad:
                try:
                    publisher.publish(orjson.loads(line))
                except (InvalidEvent, orjson.JSONDecodeError) as error:
                    msg = f"line {number}: {error}; the file changed while it was read: publish it again"
                    raise UsageError(msg) from None
            progress.update(lines.position - progress.pos)
    return dict(publisher.delivered)
