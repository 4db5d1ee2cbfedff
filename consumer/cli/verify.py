"""``verify``: whether nothing was lost and nothing was done twice."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from consumer.cli.output import counted, json_option, print_json, print_table
from consumer.ops.verify import verify as verify_all
from consumer.ops.verify.report import SHOWN_ROWS
from consumer.services import resolve_services
from consumer.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.ops.verify.report import Fault, Partition, Report

_WAIT_SECONDS = 10.0
_TOTALS = ("applied", "duplicate", "parked", "dead", "absent", "lost", "adopted", "pruned")


@click.command()
@click.option(
    "--wait",
    "wait_seconds",
    type=click.FloatRange(min=0),
    default=_WAIT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long running workers may take to announce what is applied.",
)
@json_option
@click.pass_context
def verify(context: click.Context, *, wait_seconds: float, as_json: bool) -> None:
    """Check that nothing was lost and nothing was done twice; workers may run meanwhile.

    Per partition: applied + duplicate + parked + dead + absent + lost = offsets passed, and all of it is announced.
    Then the tables against each other, and against what the activity and dead letter topics still hold. Nothing is
    changed. Exit code 1 where a promise is broken: the rows at fault are named, with what to do.

    \b
    Example:
      release-consumer verify
      release-consumer verify --wait 60 --json
    """
    settings = load_settings()
    report = verify_all(settings, resolve_services(settings), wait_seconds, _teller())
    if as_json:
        print_json(_document(report))
    else:
        _print(report)
    if report.faults:
        rows = sum(fault.total for fault in report.faults)
        click.echo(
            f"Error: {len(report.faults)} of {len(report.checks)} checks failed,"
            f" {counted(rows, 'row is', 'rows are')} at fault; what to do stands with each",
            err=True,
        )
        context.exit(1)
    click.echo(f"{len(report.checks)} checks passed", err=True)


def _teller() -> Callable[[str], None]:
    """Say on a terminal what is done; a verification of a large database takes minutes."""
    if sys.stderr.isatty():
        return lambda what: click.echo(f"{what} ...", err=True)
    return lambda _: None


def _document(report: Report) -> dict[str, Any]:
    return {
        "ok": not report.faults,
        "partitions": [_partition(partition) for partition in report.partitions],
        "faults": [
            {
                "check": fault.check,
                "table": fault.table,
                "promise": fault.promise,
                "remedy": fault.remedy,
                "total": fault.total,
                "rows": fault.rows,
            }
            for fault in report.faults
        ],
        "notes": report.notes,
        "checks": report.checks,
    }


def _partition(partition: Partition) -> dict[str, Any]:
    row = partition.row
    return {
        "id": row["id"],
        "group": row["consumer_group"],
        "topic": row["topic"],
        "partition": row["partition"],
        "firstOffset": row["first_offset"],
        "nextOffset": row["next_offset"],
        "frontier": row["frontier"],
        **{name: row[name] for name in _TOTALS},
        "announcements": row["next_seq"] - 1,
        "announced": partition.announced_seq,
        "committedOffset": partition.committed_offset,
        "lag": partition.lag,
        "faults": partition.faults,
    }


def _print(report: Report) -> None:
    print_table(
        ("PARTITION", "OFFSETS", *(name.upper() for name in _TOTALS), "ANNOUNCED", "LAG", "VERDICT"),
        [
            (
                partition.name,
                f"{partition.row['first_offset']}..{partition.row['next_offset']}",
                *(partition.row[name] for name in _TOTALS),
                _announced(partition),
                partition.lag,
                ", ".join(partition.faults) or "ok",
            )
            for partition in report.partitions
        ],
    )
    for note in report.notes:
        click.echo(f"\nnote: {note}")
    for fault in report.faults:
        _print_fault(fault)


def _announced(partition: Partition) -> str:
    of = partition.row["next_seq"] - 1
    return f"{'?' if partition.announced_seq is None else partition.announced_seq} of {of}"


def _print_fault(fault: Fault) -> None:
    click.echo(f"\n{fault.check}: broken in {counted(fault.total, 'row')} of {fault.table}")
    click.echo(f"  promise: {fault.promise}")
    click.echo(f"  remedy:  {fault.remedy}")
    for row in fault.rows:
        click.echo("  - " + ", ".join(f"{name}={value}" for name, value in row.items()))
    if fault.total > SHOWN_ROWS:
        click.echo(f"  ... and {fault.total - SHOWN_ROWS} more")
