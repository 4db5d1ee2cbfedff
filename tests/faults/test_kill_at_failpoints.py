"""Killed by SIGKILL at every labelled point, and run again: nothing is lost, nothing happens twice.

``FAULT_SEED`` repeats a history, ``FAULT_SOAK=10`` kills at eleven passages of each point instead of two.
"""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from consumer import failpoints
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from tests.support.crashing import SEED, SOAK, digest_of, independent_history, installation, look, now, publish
from tests.support.database_state import dump_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from consumer.services import Services
    from tests.support.crashing import Outcome, Outgoing
    from tests.support.product import Product

AT_ONCE = 4
STRUCTURED = [(CONTENT_TYPE, STRUCTURED_JSON)]
POINTS = [f"{name}:{passage}" for name in failpoints.NAMES for passage in range(1, 2 + SOAK)]


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


@pytest.fixture(scope="module")
def killed(
    services: Services, records: list[Outgoing], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Outcome]]]:
    """What it leads to where a worker is killed at a point and run again; several installations at once."""
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        outcomes = {}
        for point in POINTS:
            folder = tmp_path_factory.mktemp("killed")
            # A stable name lets the restarted worker take over at once.
            own = installation(services, folder, group_protocol="classic", instance_id="worker")
            outcomes[point] = pool.submit(kill_and_run_again, stack.enter_context(own), records, point)
        yield outcomes
        pool.shutdown(cancel_futures=True)


def kill_and_run_again(product: Product, records: list[Outgoing], point: str) -> Outcome:
    began = now()
    publish(product, records)
    victim = product.start("--until-caught-up", failpoint=point)
    assert victim.wait() == -signal.SIGKILL, f"FAULT_SEED={SEED} {point}: not killed\n{victim.words}"
    product.run_until_caught_up()
    return look(product, began)


def test_the_undisturbed_run_is_worth_comparing_with(undisturbed: Outcome, records: list[Outgoing]) -> None:
    undisturbed.must_be_like(undisturbed, f"FAULT_SEED={SEED}")
    assert 150 <= len(records) <= 300
    fates = undisturbed.picture["partitions"].values()
    assert all(sum(partition[fate] for partition in fates) > 0 for fate in ("applied", "duplicate", "dead"))
    assert len(undisturbed.seen.announced) > 100


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_worker_leaves_no_trace(killed: dict[str, Future[Outcome]], undisturbed: Outcome, point: str) -> None:
    killed[point].result().must_be_like(undisturbed, f"FAULT_SEED={SEED} {point}")


def test_a_replay_of_everything_changes_no_row_and_announces_nothing(
    services: Services, records: list[Outgoing], undisturbed: Outcome, tmp_path: Path
) -> None:
    # A valid event that names something unknown is dead; what it names may be known when it is replayed.
    too_early = {record.digest for record in undisturbed.seen.inputs if record.place in undisturbed.seen.dead} - {None}
    with installation(services, tmp_path) as product:
        limit = product.settings.max_event_bytes
        records = [record for record in records if digest_of(record.value, STRUCTURED, limit) not in too_early]
        publish(product, records)
        product.run_until_caught_up()
        assert product.announced_dead_letters(), "there is something to bury again"
        activities, letters = product.activities(), product.announced_dead_letters()
        with product.engine.begin() as connection:
            before = dump_rows(connection)
            connection.execute(text("UPDATE consumer_offset SET next_offset = first_offset, epoch = epoch + 1"))

        product.run_until_caught_up()

        with product.engine.begin() as connection:
            replayed = connection.execute(text("SELECT sum(next_offset - first_offset) FROM consumer_offset")).scalar()
            after = dump_rows(connection)
        assert replayed == len(records), f"FAULT_SEED={SEED}"
        # What was announced may be dropped by now.
        assert {**after, "outbox": None} == {**before, "outbox": None}, f"FAULT_SEED={SEED}"
        assert (product.activities(), product.announced_dead_letters()) == (activities, letters), f"FAULT_SEED={SEED}"
