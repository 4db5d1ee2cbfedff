"""Killed by SIGKILL at every labelled point, and run again: nothing is lost, nothing happens twice.

``FAULT_SEED`` repeats a history, ``FAULT_SOAK=10`` kills at ten times as many passages.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from consumer import failpoints
from tests.support.crashing import SEED, SOAK, independent_history, installation, look, now, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services
    from tests.support.crashing import Outcome, Outgoing
    from tests.support.product import Product

PASSAGES = range(1, 2 + SOAK)


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    """The history that every run gets."""
    return independent_history(SEED)


@pytest.fixture(scope="module")
def undisturbed(services: Services, records: list[Outgoing], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the history leads to where nobody is killed."""
    with installation(services, tmp_path_factory.mktemp("undisturbed")) as product:
        began = now()
        publish(product, records)
        product.run_until_caught_up()
        return look(product, began)


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    """An installation whose one worker has a stable name: a restart takes over at once."""
    with installation(services, tmp_path, group_protocol="classic", instance_id="worker") as product:
        yield product


def test_the_undisturbed_run_is_worth_comparing_with(undisturbed: Outcome, records: list[Outgoing]) -> None:
    undisturbed.must_be_like(undisturbed, f"FAULT_SEED={SEED}")
    assert 150 <= len(records) <= 300
    fates = undisturbed.picture["partitions"].values()
    assert all(sum(partition[fate] for partition in fates) > 3 for fate in ("applied", "duplicate", "dead"))
    assert len(undisturbed.seen.announced) > 100


@pytest.mark.parametrize("passage", PASSAGES)
@pytest.mark.parametrize("failpoint", failpoints.NAMES)
def test_a_killed_worker_leaves_no_trace(
    product: Product, records: list[Outgoing], undisturbed: Outcome, failpoint: str, passage: int
) -> None:
    began = now()
    publish(product, records)
    killed = product.start("--until-caught-up", failpoint=f"{failpoint}:{passage}")
    assert killed.wait() == -signal.SIGKILL, f"FAULT_SEED={SEED}: not killed\n{killed.words}"

    survivor = product.run_until_caught_up()

    outcome = look(product, began)
    outcome.must_be_like(undisturbed, f"FAULT_SEED={SEED} {failpoint}:{passage}\n{killed.words}\n{survivor.words}")
