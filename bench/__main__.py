"""The command: ``python -m bench``; see ``make bench`` and ``make bench-quick``."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from bench.machine import machine, settings_of
from bench.measurements import Measurements
from bench.picture import draw
from bench.report import as_text, write_json
from bench.sizes import FULL, QUICK
from bench.workloads import Shape
from consumer.errors import ServiceUnavailable, SettingsError, UsageError
from consumer.services.stack import Stack
from consumer.settings import load_settings

_FOLDER = Path(__file__).resolve().parent
_STACK = _FOLDER.parent / "build" / "bench-stack"
_RESULTS = _FOLDER / "results"
_WORKLOADS = ("W1", "W2", "W4", "W5", "growth")


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: under three minutes.")
@click.option(
    "--only", multiple=True, type=click.Choice(_WORKLOADS), help="Only this; W1 brings W3, latency and two workers."
)
@click.option("--events", type=click.IntRange(min=2), help="Events of W1 and W2.")
@click.option("--commits", type=click.IntRange(min=1), default=10, show_default=True, help="Commits of an event.")
@click.option("--files", type=click.IntRange(min=0), default=0, show_default=True, help="Files of a commit.")
@click.option("--growth", type=click.IntRange(min=0), help="Commits in the tables before W1; 0: not measured.")
@click.option("--profile", type=click.Path(path_type=Path, file_okay=False), help="Only profile W1, into this folder.")
@click.option("--results", type=click.Path(path_type=Path, dir_okay=False), help="Results file.  [default: by date]")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="SVG of the results, if wanted.")
def main(
    only: tuple[str, ...],
    events: int | None,
    commits: int,
    files: int,
    growth: int | None,
    profile: Path | None,
    results: Path | None,
    picture: Path | None,
    *,
    quick: bool,
) -> None:
    """Measure release-consumer beside COPY of the same rows and beside a row-by-row version of the same rules.

    Runs on servers of its own, with a fresh database and topics for each measurement; servers that the settings name
    (RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS and so on) are used instead.

    \b
    Example:
      python -m bench --quick --only W1 --commits 100 --events 500
    """
    sizes = QUICK if quick else FULL
    sizes = replace(
        sizes,
        events=sizes.events if events is None else events,
        growth=sizes.growth if growth is None else growth,
    )
    settings = load_settings(stack_data=_STACK)
    stack = Stack(settings, _tell)
    try:
        services = stack.up()
        measurements = Measurements(services, settings, sizes, Shape(commits, files), _tell)
        if profile is not None:
            log = stack.status()["postgresql"].log
            if log is None:
                message = "a profile needs the log of an embedded PostgreSQL; unset RELEASE_CONSUMER_DATABASE_URL"
                raise UsageError(message)
            measurements.profile(profile, Path(log))
            return
        facts = settings_of(services, settings) | {"commitsAnEvent": commits, "filesACommit": files}
        chosen = only or _WORKLOADS
        if "W1" in chosen:
            measurements.fresh_and_replayed()
        if "W2" in chosen:
            measurements.with_files()
        if "W4" in chosen:
            measurements.resolving()
        if "W5" in chosen:
            facts["history"] = measurements.real()
        if "growth" in chosen and sizes.growth:
            measurements.growth()
    finally:
        stack.down(wipe=True)
    rows = measurements.rows
    click.echo(as_text(machine(), facts, rows))
    path = results or _RESULTS / f"{datetime.now(UTC):%Y-%m-%d}{'-quick' if quick else ''}.json"
    write_json(path, machine(), facts, rows)
    _tell(f"written: {path}")
    if picture is not None:
        picture.write_text(draw(rows), encoding="utf-8")
        _tell(f"written: {picture}")


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    try:
        main()
    except (ServiceUnavailable, SettingsError, UsageError) as error:
        sys.exit(f"Error: {error}")
