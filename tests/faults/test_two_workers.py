"""Workers side by side, one of them killed or stopped: partitions change hands, and nothing happens twice.

``FAULT_SEED`` repeats a history and the moment of the kill; ``FAULT_SOAK=10`` kills ten times.
"""

from __future__ import annotations

import signal
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.crashing import SEED, SOAK, independent_history, installation, look, now, publish
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import TextClause

    from consumer.services import Services
    from tests.support.crashing import Outcome, Outgoing
    from tests.support.product import Product, Worker

PARTITIONS = 6
SESSION_SECONDS = 6
PORTION = 10


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    """A history that is published twice over."""
    return independent_history(SEED + 1, organizations=2 * PARTITIONS) * 2


@pytest.fixture(scope="module")
def undisturbed(services: Services, records: list[Outgoing], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the history leads to where one worker does it all, undisturbed."""
    with installation(services, tmp_path_factory.mktemp("alone"), topic_partitions=PARTITIONS) as product:
        began = now()
        publish(product, records)
        product.run_until_caught_up()
        return look(product, began)


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    with installation(
        services,
        tmp_path,
        topic_partitions=PARTITIONS,
        group_protocol="classic",
        session_timeout_seconds=SESSION_SECONDS,
        transaction_timeout_seconds=2,
    ) as product:
        yield product


def owners(product: Product) -> set[str]:
    """The workers that have taken over partitions."""
    with product.engine.connect() as connection:
        return set(connection.execute(text("SELECT owner FROM consumer_offset")).scalars())


def applied(product: Product) -> int:
    with product.engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset")).scalar_one())


def start(product: Product) -> Worker:
    return product.start("--verbose")


def answers(product: Product, query: TextClause, parameters: dict[str, str]) -> bool:
    """Whether a query has any row."""
    with product.engine.connect() as connection:
        return bool(connection.execute(query, parameters).all())


def name_of(worker: Worker) -> str:
    """The name that a worker without a stable one signs with."""
    return f"-{worker._process.pid}"


def shares(product: Product, *workers: Worker) -> bool:
    """Whether these workers, and no others, have partitions."""
    names = owners(product)
    return len(names) == len(workers) and all(any(o.endswith(name_of(w)) for o in names) for w in workers)


@pytest.mark.parametrize("round_", range(SOAK))
def test_a_worker_is_killed_while_publishing_goes_on(
    product: Product, records: list[Outgoing], undisturbed: Outcome, round_: int
) -> None:
    seed = SEED + round_
    random = Random(seed)
    began = now()
    go_on = Event()
    first, second = start(product), start(product)
    wait_until(lambda: shares(product, first, second), "both workers have partitions")

    def publish_in_portions() -> None:
        half = len(records) // 2
        for begin in range(0, len(records), PORTION):
            if begin >= half:
                go_on.wait()
            publish(product, records[begin : begin + PORTION])

    publisher = Thread(target=publish_in_portions)
    publisher.start()
    moment = random.randrange(len(records) // 3)
    wait_until(lambda: applied(product) >= moment, f"{moment} events applied")
    victim, survivor = random.sample([first, second], 2)
    victim._process.kill()
    assert victim.wait() == -signal.SIGKILL
    third = start(product)
    go_on.set()
    publisher.join()

    product.wait_until_announced(survivor)
    assert (survivor.terminate(), third.terminate()) == (0, 0), f"{survivor.words}\n{third.words}"

    words = f"FAULT_SEED={seed}, killed after {moment}\n{survivor.words}\n{third.words}"
    look(product, began).must_be_like(undisturbed, words)


def test_a_zombie_wakes_in_the_middle_of_its_batch(
    product: Product, records: list[Outgoing], undisturbed: Outcome
) -> None:
    began = now()
    zombie, other = start(product), start(product)
    wait_until(lambda: shares(product, zombie, other), "both workers have partitions")
    mine = {"zombie": f"%{name_of(zombie)}"}
    with product.engine.connect() as connection:
        # Its batches wait for rows that this test holds: when it is stopped one is begun and not committed.
        connection.execute(text("SELECT id FROM consumer_offset WHERE owner LIKE :zombie FOR UPDATE"), mine)
        publish(product, records)
        waits = text("SELECT FROM pg_stat_activity WHERE application_name LIKE :zombie AND wait_event_type = 'Lock'")
        wait_until(lambda: answers(product, waits, mine), f"a batch of the zombie is begun\n{zombie.words}")
        zombie._process.send_signal(signal.SIGSTOP)

    wait_until(lambda: shares(product, other), f"the other has all\n{other.words}", 5 * SESSION_SECONDS)
    product.wait_until_announced(other)
    zombie._process.send_signal(signal.SIGCONT)
    wait_until(lambda: "lost: " in zombie.words, "the zombie hears that it was expelled")
    wait_until(lambda: zombie.words.count("assigned: ") > 1, f"the zombie is a member again\n{zombie.words}")
    assert (zombie.terminate(), other.terminate()) == (0, 0), f"{zombie.words}\n{other.words}"

    words = f"FAULT_SEED={SEED}\n{zombie.words}\n{other.words}"
    assert "batch is dropped" in zombie.words, words
    look(product, began).must_be_like(undisturbed, words)
