"""``run``: one worker of the consumer group."""

from __future__ import annotations

import logging
import os
import signal
import sys

import click

from consumer import failpoints, metrics
from consumer.errors import SettingsError
from consumer.intake.wiring import open_worker
from consumer.services import resolve_services
from consumer.settings import Settings, load_settings

EXIT_FORCED = 3


@click.command()
@click.option(
    "--until-caught-up", is_flag=True, help="End when all that is in the topics now is applied and announced."
)
@click.option("--instance-id", help="Stable name of this worker (RELEASE_CONSUMER_INSTANCE_ID).")
@click.option("--verbose", is_flag=True, help="Tell more of what is going on.")
@click.pass_context
def run(context: click.Context, instance_id: str | None, *, until_caught_up: bool, verbose: bool) -> None:
    """Consume events: apply them to PostgreSQL, announce what happened on Kafka.

    Start as many as you like: Kafka spreads the partitions. SIGTERM or Ctrl-C drains: what was read is applied and
    announced, then the exit code is 0; it is 3 if that took too long (RELEASE_CONSUMER_DRAIN_TIMEOUT_SECONDS) or a
    second signal came.

    \b
    Example:
      release-consumer run
      release-consumer run --until-caught-up
    """
    settings = load_settings(instance_id=instance_id)
    _log_to_stderr(verbose=verbose)
    _arm_failpoint(settings)
    if settings.http_port is not None:
        metrics.serve(settings.http_port)
    with open_worker(settings, resolve_services(settings)) as (worker, make_target):
        signals = 0

        def on_signal(_number: int, _frame: object) -> None:
            nonlocal signals
            signals += 1
            if signals > 1:
                os._exit(EXIT_FORCED)
            worker.stop()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        drained = worker.run(make_target() if until_caught_up else None)
    if not drained:
        click.echo("Error: not everything that was read could be applied and announced in time", err=True)
        # Threads that still wait for a service must not hold the process back.
        sys.stderr.flush()
        os._exit(EXIT_FORCED)
    context.exit(0)


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
