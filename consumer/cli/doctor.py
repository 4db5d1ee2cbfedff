"""``doctor``: whether everything is set up well."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from consumer.cli.output import cell, counted, json_option, print_json
from consumer.ops.doctor import examine
from consumer.ops.doctor.report import Verdict

if TYPE_CHECKING:
    from consumer.ops.doctor.report import Line

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Look at settings, services, topics, retention and lag; each line is ok, warn or fail, with the remedy.

    Nothing is changed. Exit code 1 where a line fails: a worker cannot work so, or a promise is in danger.

    \b
    Example:
      release-consumer doctor
      release-consumer doctor --json
    """
    lines: list[Line] = []
    for line in examine():
        lines.append(line)
        if not as_json:
            _print(line)
    failed = [line for line in lines if line.verdict is Verdict.FAIL]
    if as_json:
        print_json({"ok": not failed, "lines": [asdict(line) for line in lines]})
    if failed:
        click.echo(
            f"Error: {len(failed)} of {counted(len(lines), 'line')} failed; the remedy stands with each", err=True
        )
        context.exit(1)


def _print(line: Line) -> None:
    verdict = click.style(f"{line.verdict:4}", fg=_COLOURS[line.verdict])
    click.echo(f"{verdict}  {line.area}: {line.subject}: {cell(line.finding)}")
    if line.remedy:
        click.echo(f"      -> {cell(line.remedy)}")
