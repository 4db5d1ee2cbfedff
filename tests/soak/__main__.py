"""``python -m tests.soak``: a long backlog and one huge event under a bound; exit code 1 where it is passed."""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.support.bulk import peak_until_announced, publish_huge_event, publish_small_events
from tests.support.mortal import mortal_stack
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services import Services

BACKLOG_MIB = 256
HUGE_MIB = 384

_PARTITIONS = 6
_PATIENCE_SECONDS = 3600


@click.command()
@click.option("--events", default=1_000_000, show_default=True, help="Small events of the backlog.")
@click.option("--mebibytes", default=16.0, show_default=True, help="Size of the huge event.")
def main(events: int, mebibytes: float) -> None:
    """Measure the most resident memory of a worker with default settings (VmHWM)."""
    with tempfile.TemporaryDirectory() as name, mortal_stack(Path(name) / "stack") as stack:
        services = stack.up()
        peaks = [
            (_measure(services, Path(name), what, publish), bound)
            for what, publish, bound in (
                (f"{events} events", lambda product: publish_small_events(product, events), BACKLOG_MIB),
                (f"an event of {mebibytes:g} MiB", lambda product: publish_huge_event(product, mebibytes), HUGE_MIB),
            )
        ]
    sys.exit(1 if any(peak > bound for peak, bound in peaks) else 0)


def _measure(services: Services, folder: Path, what: str, publish: Callable[[Product], None]) -> float:
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, folder, topic_partitions=_PARTITIONS, group_protocol="classic")) as product,
    ):
        product.set_up()
        publish(product)
        began = time.monotonic()
        worker = product.start()
        peak = peak_until_announced(product, worker, _PATIENCE_SECONDS)
        click.echo(f"{what}: {peak:.0f} MiB at most, {time.monotonic() - began:.0f} s")
        assert worker.terminate() == 0, worker.words
        dead = product.rows("SELECT reason, errors FROM dead_letter LIMIT 1")
        assert not dead, dead
    return peak


if __name__ == "__main__":
    main()
