"""A quiet moment: everything is healed, the group catches up, and every promise is checked."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from tests.support.checker import broken_promises
from tests.support.crashing import observe, parked, positions
from tests.support.product import wait_until

if TYPE_CHECKING:
    from tests.chaos.crew import Crew

RECOVERY_SECONDS = 180
_MOST_COMPLAINTS = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checkpoint found.

    Args:
        events: records of the input topics.
        announced: activities that readers of committed data saw.
        dead: dead letters.
        recovery_seconds: until everything was applied and announced.
        violations: every broken promise.
    """

    events: int
    announced: int
    dead: int
    recovery_seconds: float
    violations: list[str]


def check(crew: Crew) -> Checked:
    """Let an installation come to rest, and check it. Its publisher must pause, and the servers be up."""
    began = time.monotonic()
    violations = [f"published: {complaint}" for complaint in crew.publisher.refused]
    try:
        wait_until(lambda: _is_at_rest(crew), "it has caught up", RECOVERY_SECONDS)
    except AssertionError:
        words = "\n  ".join(slot.words() for slot in crew.slots)
        violations.append(f"no recovery in {RECOVERY_SECONDS} s: {_standing(crew)}\n  {words}")
    recovery = time.monotonic() - began
    for slot in crew.slots:
        violations += slot.deaths
        slot.deaths.clear()
    if violations:
        # What has not come to rest breaks promises that it may still keep.
        return Checked(0, 0, 0, recovery, violations)
    seen = observe(crew.product)
    there = {record.place for record in seen.inputs}
    violations += [f"lost by Kafka: {place} was acknowledged" for place in sorted(crew.publisher.acknowledged - there)]
    violations += broken_promises(seen)
    verified = crew.product.process("verify", "--wait", "30")
    if verified.returncode != 0:
        violations.append(f"verify: exit code {verified.returncode}\n{verified.stdout}{verified.stderr}")
    return Checked(len(seen.inputs), len(seen.announced), len(seen.dead), recovery, violations[:_MOST_COMPLAINTS])


def _is_at_rest(crew: Crew) -> bool:
    for slot in crew.slots:
        slot.restart_if_dead()
    with suppress(KafkaException, SQLAlchemyError):
        found = positions(crew.product)
        behind = [
            partition
            for partition, end in crew.product.ends().items()
            if (position := found.get(partition)) is None
            or position.next_offset < end
            or position.committed_offset != position.next_offset
            or position.announced_seq != position.next_seq - 1
        ]
        return not behind and parked(crew.product) == 0
    return False


def _standing(crew: Crew) -> str:
    try:
        return f"ends {crew.product.ends()}, positions {positions(crew.product)}, {parked(crew.product)} parked"
    except (KafkaException, SQLAlchemyError, AssertionError) as error:
        return str(error)
