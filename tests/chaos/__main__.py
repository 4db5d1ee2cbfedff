"""``python -m tests.chaos``: faults at random for some minutes; exit code 1 where a promise is broken."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import TYPE_CHECKING

import click
import pytest

from consumer.services import broker
from tests.chaos.checkpoint import check
from tests.chaos.crew import SESSION_SECONDS, Crew
from tests.chaos.faults import FAULTS, Fault, Stage
from tests.chaos.report import Report
from tests.support.mortal import mortal_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.chaos.crew import Protocol

_PROTOCOLS: tuple[Protocol, ...] = ("classic", "consumer")
_FAULTS_A_ROUND = (4, 8)
_SHARE_QUIET = 0.2
_QUIET_SECONDS = 10.0
_SHARE_TWO_AT_ONCE = 0.35
_LONGEST_GAP_SECONDS = 4.0


@click.command()
@click.option(
    "--minutes", type=click.FloatRange(min=0), default=30.0, show_default=True, help="How long faults happen."
)
@click.option("--seed", type=int, default=None, help="Draws the same faults in the same order again.")
def main(minutes: float, seed: int | None) -> None:
    """Break everything at random, again and again, and check every promise in between."""
    seed = SystemRandom().randrange(10**6) if seed is None else seed
    report = Report(seed)
    report.say(f"seed {seed}, {minutes:g} minutes")
    with ExitStack() as everything:
        folder = Path(everything.enter_context(tempfile.TemporaryDirectory()))
        everything.enter_context(_short_sessions())
        stack = everything.enter_context(mortal_stack(folder / "stack"))
        services = stack.up()
        random = Random(seed)
        crews = [everything.enter_context(Crew(services, folder, protocol, random)) for protocol in _PROTOCOLS]
        report.say(" and ".join(map(str, crews)))
        stage = Stage(stack, services, crews, random)
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end and not report.violations:
            _round(stage, report, end)
        if report.violations:
            report.say(f"logs are kept in {_keep_logs(stage, seed)}")
    report.end()
    sys.exit(1 if report.violations else 0)


@contextmanager
def _short_sessions() -> Iterator[None]:
    """Let Kafka expel silent members of both group protocols after the same time; by default KIP-848 takes 45 s."""
    milliseconds = str(1000 * SESSION_SECONDS)
    names = ("group.consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms")
    heartbeats = dict.fromkeys(
        ("group.consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms"), "1500"
    )
    one_node = broker.one_node

    def patient_no_more(**given: str) -> dict[str, str]:
        return {**one_node(**given), **dict.fromkeys(names, milliseconds), **heartbeats}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(broker, "one_node", patient_no_more)
        yield


def _round(stage: Stage, report: Report, end: float) -> None:
    """Some faults, or a quiet time, under load; then everything heals and is checked."""
    random = stage.random
    for crew in stage.crews:
        crew.publisher.go_on()
    if random.random() < _SHARE_QUIET:
        report.say("quiet")
        _pause(_QUIET_SECONDS)
    else:
        for _ in range(random.randint(*_FAULTS_A_ROUND)):
            _strike(stage, report)
            _pause(random.uniform(0, _LONGEST_GAP_SECONDS))
            if time.monotonic() > end:
                break
    for crew in stage.crews:
        crew.publisher.pause()
    for crew in stage.crews:
        report.checked(crew, check(crew))
    if not report.violations:
        report.survived()


def _keep_logs(stage: Stage, seed: int) -> Path:
    """Put the logs of the servers, and what workers said, where they outlive the run."""
    kept = Path(tempfile.mkdtemp(prefix=f"chaos-seed-{seed}-"))
    for name, status in stage.stack.status().items():
        if status.log is not None and Path(status.log).exists():
            shutil.copyfile(status.log, kept / f"{name}.log")
    for slot in [slot for crew in stage.crews for slot in crew.slots]:
        (kept / f"{slot}.log").write_text(slot.all_words(), encoding="utf-8")
    return kept


def _strike(stage: Stage, report: Report) -> None:
    """One fault, or one that begins while another lasts."""
    random = stage.random
    first = _draw(random, FAULTS)
    faults = [first]
    if random.random() < _SHARE_TWO_AT_ONCE:
        faults.append(_draw(random, [fault for fault in FAULTS if fault.target != first.target]))
    with ExitStack() as lasting:
        for fault in faults:
            seconds = random.uniform(0, fault.longest_seconds)
            report.fault(fault, lasting.enter_context(fault.strike(stage)), seconds)
            _pause(seconds)
    for crew in stage.crews:
        for slot in crew.slots:
            slot.restart_if_dead()


def _draw(random: Random, faults: Sequence[Fault]) -> Fault:
    return random.choices(faults, [fault.weight for fault in faults])[0]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)


if __name__ == "__main__":
    main()
