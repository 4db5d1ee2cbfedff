"""The catalogue of faults: each is a block that begins, lasts a while, and ends."""

from __future__ import annotations

import os
import signal
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import redis
from sqlalchemy import text

from tests.chaos.crew import SESSION_SECONDS, any_failpoint
from tests.support.mortal import killed
from tests.support.proxy import Slowness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from random import Random

    from consumer.services import Services
    from consumer.services.model import ServiceName
    from consumer.services.stack import Stack
    from tests.chaos.crew import Crew, Slot

Target = Literal["worker", "server", "network", "operator"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that can be hit.

    Args:
        stack: the servers.
        services: where they answer.
        crews: installations with their workers.
        random: chooses who is hit.
    """

    stack: Stack
    services: Services
    crews: list[Crew]
    random: Random

    def slot(self) -> Slot:
        """Any worker."""
        return self.random.choice(self.random.choice(self.crews).slots)

    def crew(self) -> Crew:
        """Any installation."""
        return self.random.choice(self.crews)


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Args:
        name: for people.
        target: faults of different targets may happen at once.
        weight: how often, compared with others.
        longest_seconds: how long it may last.
        strike: begins it, says what it hit, and ends it.
    """

    name: str
    target: Target
    weight: int
    longest_seconds: float
    strike: Callable[[Stage], AbstractContextManager[str]]


FAULTS: list[Fault] = []

_USUAL_LATENCY_SECONDS = 0.3
_SLOW_BYTES_PER_SECOND = 100_000
_SHARE_BY_FORCE = 0.3
_LONGEST_AGO_SECONDS = 120.0


def _fault(
    name: str, target: Target, weight: int, longest_seconds: float
) -> Callable[[Callable[[Stage], Iterator[str]]], Callable[[Stage], AbstractContextManager[str]]]:
    def register(strike: Callable[[Stage], Iterator[str]]) -> Callable[[Stage], AbstractContextManager[str]]:
        block = contextmanager(strike)
        FAULTS.append(Fault(name, target, weight, longest_seconds, block))
        return block

    return register


# --- workers ---------------------------------------------------------------------------------------------------------


@_fault("worker killed", "worker", 4, 3)
def _kill_worker(stage: Stage) -> Iterator[str]:
    slot = stage.slot()
    slot.kill()
    yield str(slot)
    slot.start()


@_fault("worker killed at a failpoint", "worker", 4, 8)
def _kill_at_failpoint(stage: Stage) -> Iterator[str]:
    slot, point = stage.slot(), any_failpoint(stage.random)
    slot.kill()
    slot.start(point)
    yield f"{slot} {point}"
    slot.restart_if_dead()


@_fault("worker stopped and resumed", "worker", 4, 2.5 * SESSION_SECONDS)
def _stop_worker(stage: Stage) -> Iterator[str]:
    slot = stage.slot()
    slot.stop()
    yield str(slot)
    slot.resume()


@_fault("all workers of a group killed", "worker", 1, 2)
def _kill_group(stage: Stage) -> Iterator[str]:
    crew = stage.crew()
    for slot in crew.slots:
        slot.kill()
    yield str(crew)
    for slot in crew.slots:
        slot.start()


@_fault("worker leaves and joins", "worker", 3, 3)
def _leave_and_join(stage: Stage) -> Iterator[str]:
    slot = stage.slot()
    slot.leave()
    yield str(slot)
    slot.start()


# --- servers ---------------------------------------------------------------------------------------------------------


def _server_killed(name: ServiceName) -> Callable[[Stage], Iterator[str]]:
    def strike(stage: Stage) -> Iterator[str]:
        with killed(stage.stack, name):
            yield name

    return strike


def _server_stopped(name: ServiceName) -> Callable[[Stage], Iterator[str]]:
    def strike(stage: Stage) -> Iterator[str]:
        pid = stage.stack.status()[name].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            yield name
        finally:
            os.kill(pid, signal.SIGCONT)

    return strike


_fault("Kafka killed and restarted", "server", 2, 6)(_server_killed("kafka"))
_fault("Kafka stopped and resumed", "server", 1, 1.5 * SESSION_SECONDS)(_server_stopped("kafka"))
_fault("PostgreSQL killed and restarted", "server", 2, 6)(_server_killed("postgresql"))
_fault("Redis killed and restarted", "server", 2, 4)(_server_killed("redis"))
_fault("Redis stopped and resumed", "server", 2, 6)(_server_stopped("redis"))


@_fault("Redis flushed", "server", 2, 0)
def _flush_redis(stage: Stage) -> Iterator[str]:
    with closing(redis.Redis.from_url(stage.services.redis_url)) as client:
        client.flushall()
    yield "redis"


@_fault("sessions of PostgreSQL terminated", "server", 2, 0)
def _terminate_sessions(stage: Stage) -> Iterator[str]:
    crew = stage.crew()
    others = "datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'tests'"
    with crew.product.engine.connect() as connection:
        ended = connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")).all()  # noqa: S608
    yield f"{len(ended)} of {crew}"


# --- connections -----------------------------------------------------------------------------------------------------


@_fault("connections cut", "network", 4, 0)
def _cut(stage: Stage) -> Iterator[str]:
    slot, name = stage.slot(), stage.random.choice(["kafka", "postgresql", "redis"])
    slot.proxies[name].cut()
    yield f"{slot} to {name}"


@_fault("connections refused", "network", 3, 2 * SESSION_SECONDS)
def _refuse(stage: Stage) -> Iterator[str]:
    slot, name = stage.slot(), stage.random.choice(["kafka", "postgresql", "redis"])
    slot.proxies[name].refuse()
    yield f"{slot} to {name}"
    slot.heal()


@_fault("connections slow", "network", 3, 2 * SESSION_SECONDS)
def _slow(stage: Stage) -> Iterator[str]:
    slot = stage.slot()
    latency = stage.random.expovariate(1 / _USUAL_LATENCY_SECONDS)
    for proxy in slot.proxies.values():
        proxy.slow(Slowness(latency, latency, _SLOW_BYTES_PER_SECOND))
    yield f"{slot}, {latency:.2f} s"
    slot.heal()


@_fault("connections hang", "network", 3, 2 * SESSION_SECONDS)
def _hang(stage: Stage) -> Iterator[str]:
    slot, name = stage.slot(), stage.random.choice(["kafka", "postgresql", "redis"])
    slot.proxies[name].hang()
    yield f"{slot} to {name}"
    slot.heal()


# --- operators -------------------------------------------------------------------------------------------------------


@_fault("replay", "operator", 3, 0)
def _replay(stage: Stage) -> Iterator[str]:
    yield _replayed(stage, "--all")


@_fault("forced replay", "operator", 2, 0)
def _replay_by_force(stage: Stage) -> Iterator[str]:
    yield _replayed(stage, "--force", "--from-time", _a_while_ago(stage))


@_fault("replay that announces again", "operator", 2, 0)
def _announce_again(stage: Stage) -> Iterator[str]:
    by_force = ["--force"] if stage.random.random() < _SHARE_BY_FORCE else []
    yield _replayed(stage, "--reannounce", *by_force, "--from-time", _a_while_ago(stage))


def _replayed(stage: Stage, *options: str) -> str:
    """Move a group back in a topic; says what the command said, which may fail as everybody may."""
    product = stage.crew().product
    ended = product.process("replay", stage.random.choice(product.settings.topics.inputs), "--no-wait", *options)
    told = (ended.stdout + ended.stderr).strip().splitlines() or [""]
    return f"{' '.join(options)}: exit code {ended.returncode}: {told[-1]}"


def _a_while_ago(stage: Stage) -> str:
    return (datetime.now(UTC) - timedelta(seconds=stage.random.uniform(0, _LONGEST_AGO_SECONDS))).isoformat()
