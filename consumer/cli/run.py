"""``run``: one worker of the consumer group."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import click

from consumer import failpoints, metrics
from consumer.cli.options import NON_EMPTY
from consumer.cli.signals import ENDING, force_exit
from consumer.errors import Halted, SettingsError, WrongSchema
from consumer.health import Health
from consumer.intake.wiring import open_worker
from consumer.ops.serving import serve
from consumer.services import resolve_services
from consumer.settings import Settings, load_settings

if TYPE_CHECKING:
    from consumer.intake.worker import Worker

EXIT_FORCED = 3

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.1
_HALTED_SECONDS = 15.0
"""How long a worker that cannot go on still answers ``/readyz``: long enough for a probe every 10 s to hear why."""

_FORCED_LATER_SECONDS = 1.0


@click.command()
@click.option(
    "--until-caught-up", is_flag=True, help="End when all that is in the topics now is applied and announced."
)
@click.option(
    "--instance-id", type=NON_EMPTY, metavar="NAME", help="Stable name of this worker (RELEASE_CONSUMER_INSTANCE_ID)."
)
@click.option("--verbose", is_flag=True, help="Tell more of what is going on.")
@click.pass_context
def run(context: click.Context, instance_id: str | None, *, until_caught_up: bool, verbose: bool) -> None:
    """Consume events: apply them to PostgreSQL, announce what happened on Kafka.

    Start as many as you like: Kafka spreads the partitions. At start it waits for Kafka and PostgreSQL, up to
    RELEASE_CONSUMER_STARTUP_TIMEOUT_SECONDS each; without Redis it works, too. SIGTERM or Ctrl-C drains: what was read
    is applied and announced, then the exit code is 0; it is 3 if that took too long
    (RELEASE_CONSUMER_DRAIN_TIMEOUT_SECONDS) or a second signal came, and 4 if a run of dead letters halted it
    (RELEASE_CONSUMER_HALT_*).

    \b
    Example:
      release-consumer run
      release-consumer run --until-caught-up
    """
    settings = load_settings(instance_id=instance_id)
    _log_to_stderr(verbose=verbose)
    _arm_failpoint(settings)
    health = Health(settings.stall_seconds)
    if settings.http_port is not None:
        serve(settings.http_port, health)
    ending = _Ending()
    force_exit(settings.drain_timeout_seconds + _FORCED_LATER_SECONDS, EXIT_FORCED)
    before = metrics.events_by_fate()
    try:
        with open_worker(settings, resolve_services(settings, must_answer=False), health) as (worker, make_target):
            target = make_target() if until_caught_up else None
            ending.drains(worker)
            drained = worker.run(target)
    except (Halted, WrongSchema) as why:
        if ending.has_begun and settings.http_port is not None:
            log.error("%s", why)  # noqa: TRY400  # one line
            ending.wait(_HALTED_SECONDS)
        raise
    if until_caught_up:
        ended = "caught up" if drained and not ending.signals else "ended before it had caught up"
    else:
        ended = "drained" if drained else "ended"
    click.echo(f"{ended}: {_fates_since(before)}", err=True)
    if not drained:
        click.echo("Error: not everything that was read could be applied and announced in time", err=True)
        # Threads that still wait for a service must not hold the process back.
        sys.stderr.flush()
        os._exit(EXIT_FORCED)
    context.exit(0)


class _Ending:
    """Ends the process in order on SIGTERM and Ctrl-C: at once while nothing was read, else by draining the worker."""

    def __init__(self) -> None:
        self.signals = 0
        self._worker: Worker | None = None
        self.has_begun = False
        for number in ENDING:
            signal.signal(number, self._on_signal)

    def drains(self, worker: Worker) -> None:
        """From now on there may be something to drain."""
        self._worker = worker
        self.has_begun = True

    def wait(self, seconds: float) -> None:
        """Wait so long, or until a signal has come; the worker has ended."""
        deadline = time.monotonic() + seconds
        self._worker = None
        while not self.signals and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)  # not an event: its lock is not for signal handlers

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.signals += 1
        if not self.has_begun:
            # Not sys.stderr, which may be in the middle of a line.
            os.write(2, b"ended before anything was read\n")
            os._exit(0)
        elif self._worker is not None:
            if self.signals > 1:
                os._exit(EXIT_FORCED)
            self._worker.stop()


def _fates_since(before: dict[str, int]) -> str:
    """What became of the events that this process took on."""
    counts = {fate: count - before[fate] for fate, count in metrics.events_by_fate().items()}
    told = ", ".join(f"{count} {fate}" for fate, count in counts.items())
    return f"{told}; see `release-consumer dead-letters list`" if counts["dead"] else told


def _arm_failpoint(settings: Settings) -> None:
    try:
        failpoints.arm(settings.failpoint)
    except ValueError as error:
        message = f"RELEASE_CONSUMER_FAILPOINT: {error}"
        raise SettingsError(message) from None


def _log_to_stderr(*, verbose: bool) -> None:
    """One line a message on stderr; libraries speak only of what is wrong."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s", force=True
    )
    logging.getLogger("consumer").setLevel(logging.DEBUG if verbose else logging.INFO)
