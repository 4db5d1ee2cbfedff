"""Members come and go under load, with both group protocols: one owner a partition, nothing lost, nothing twice.

``FAULT_SEED`` repeats a history and the moves; ``FAULT_SOAK=10`` moves ten times as often.
"""

from __future__ import annotations

from itertools import count
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.checker import broken_promises
from tests.support.crashing import (
    SEED,
    SOAK,
    applied,
    independent_history,
    installation,
    look,
    now,
    owners,
    publish,
    wait_until_announced,
)
from tests.support.product import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.services import Services
    from tests.support.product import Product, Worker

PARTITIONS = 6
MOVES = 3 * SOAK
MOST_MEMBERS = 3
PORTION = 8
AHEAD = 60
PAUSE_SECONDS = 0.02
RECOVERY_SECONDS = 60
SMALL_BATCH = 5
POLL_SECONDS = 10


def shares(product: Product, members: list[Worker]) -> bool:
    """Whether these workers, and no others, own partitions."""
    return owners(product) == {member.pid for member in members}


@pytest.mark.timeout(120 * SOAK)
@pytest.mark.parametrize("protocol", [pytest.param("classic", marks=pytest.mark.long), "consumer"])
def test_members_join_and_leave_under_load(services: Services, tmp_path: Path, protocol: str) -> None:
    random = Random(SEED)
    with installation(
        services, tmp_path, topic_partitions=PARTITIONS, group_protocol=protocol, batch_size=SMALL_BATCH
    ) as product:
        began, is_over = now(), Event()
        members = [product.start("--verbose")]
        left: list[Worker] = []

        def publish_until_over() -> None:
            published = 0
            for number in count():
                first = number * PARTITIONS
                records = independent_history(SEED + number, organizations=PARTITIONS, first=first)
                for begin in range(0, len(records), PORTION):
                    publish(product, records[begin : begin + PORTION])
                    published += PORTION
                    # Always some in flight, and never more than can be caught up with in a moment.
                    while published - applied(product) > AHEAD:
                        if is_over.wait(PAUSE_SECONDS):
                            return

        publisher = Thread(target=publish_until_over)
        publisher.start()
        try:
            for _ in range(MOVES):
                if len(members) == 1 or (len(members) < MOST_MEMBERS and random.random() < 0.5):
                    members.append(product.start("--verbose"))
                else:
                    left.append(members.pop(random.randrange(len(members))))
                    assert left[-1].terminate() == 0, left[-1].words
                before = applied(product)
                wait_until(lambda: shares(product, members), f"all of {len(members)} own partitions", RECOVERY_SECONDS)
                wait_until(lambda: applied(product) > before, "they go on", RECOVERY_SECONDS)  # noqa: B023
        finally:
            is_over.set()
            publisher.join()

        wait_until_announced(product, members[0], product.ends(), RECOVERY_SECONDS)
        assert [member.terminate() for member in members] == [0] * len(members)
        words = "\n".join([f"FAULT_SEED={SEED}", *(member.words for member in [*left, *members])])
        # What was in flight was settled before the partition went on: nobody's batch came too late.
        assert "batch is dropped" not in words, words
        assert broken_promises(look(product, began).seen) == [], words


@pytest.mark.parametrize("protocol", [pytest.param("classic", marks=pytest.mark.long), "consumer"])
def test_a_batch_that_cannot_end_holds_a_rebalance_up_for_a_bounded_time_only(
    services: Services, tmp_path: Path, protocol: str
) -> None:
    """Its time is ``drain_timeout_seconds``, then that of one statement."""
    with installation(
        services,
        tmp_path,
        topic_partitions=PARTITIONS,
        group_protocol=protocol,
        drain_timeout_seconds=1,
        statement_timeout_seconds=2,
    ) as product:
        began = now()
        old = product.start("--verbose")
        wait_until(lambda: shares(product, [old]), "it owns all")
        with product.engine.connect() as connection:
            connection.execute(text("LOCK TABLE organization IN ACCESS EXCLUSIVE MODE"))
            publish(product, independent_history(SEED, organizations=PARTITIONS))
            old.wait_for_words("batch is tried again")

            new = product.start("--verbose")
            wait_until(lambda: shares(product, [old, new]), f"both own partitions\n{old.words}\n{new.words}")

        wait_until_announced(product, old, product.ends(), RECOVERY_SECONDS)
        words = f"FAULT_SEED={SEED}\n{old.words}\n{new.words}"
        assert "lost: " not in words, words
        assert (old.terminate(), new.terminate()) == (0, 0), words
        assert broken_promises(look(product, began).seen) == [], words


@pytest.mark.parametrize("protocol", [pytest.param("classic", marks=pytest.mark.long), "consumer"])
def test_a_batch_that_takes_longer_than_the_poll_interval_costs_no_membership(
    services: Services, tmp_path: Path, protocol: str
) -> None:
    with installation(
        services,
        tmp_path,
        group_protocol=protocol,
        session_timeout_seconds=6,
        max_poll_interval_seconds=POLL_SECONDS,
        drain_timeout_seconds=1,
    ) as product:
        began = now()
        worker = product.start("--verbose")
        wait_until(lambda: shares(product, [worker]), "it owns all")
        with product.engine.connect() as connection:
            connection.execute(text("LOCK TABLE organization IN ACCESS EXCLUSIVE MODE"))
            publish(product, independent_history(SEED, organizations=2))
            long = text(
                "SELECT FROM pg_locks WHERE NOT granted AND relation = 'organization'::regclass"
                " AND waitstart < clock_timestamp() - make_interval(secs => :seconds)"
            ).bindparams(seconds=1.3 * POLL_SECONDS)
            with product.engine.connect() as observer:
                wait_until(lambda: observer.execute(long).all(), f"a batch waits for long\n{worker.words}")

        wait_until_announced(product, worker, product.ends(), RECOVERY_SECONDS)
        assert worker.terminate() == 0, worker.words
        assert worker.words.count("assigned: ") == 1, worker.words
        assert "lost: " not in worker.words, worker.words
        assert broken_promises(look(product, began).seen) == [], worker.words
