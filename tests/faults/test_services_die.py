"""PostgreSQL, Kafka and Redis die under a worker: it goes on by itself, nothing is lost, nothing happens twice.

``FAULT_SEED`` repeats a history; ``FAULT_SOAK=10`` lets each service die ten times in a run.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
import redis
from sqlalchemy import text

from consumer.contracts.events import CommitData, CommitsPushed, ReleaseCreated
from consumer.ids.lock import release_lock_key
from tests.support.checker import broken_promises
from tests.support.crashing import (
    SEED,
    SOAK,
    applied,
    independent_history,
    installation,
    look,
    now,
    parked,
    publish,
    wait_until_announced,
)
from tests.support.mortal import killed
from tests.support.product import wait_until
from tests.support.proxy import Action, Proxy

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.services import Services
    from consumer.services.model import ServiceName
    from consumer.services.stack import Stack
    from tests.support.crashing import Outcome, Outgoing
    from tests.support.proxy import Connection

SMALL_BATCH = 5
RECOVERY_SECONDS = 60.0


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    return independent_history(SEED + 2)


@pytest.fixture(scope="module")
def undisturbed(services: Services, records: list[Outgoing], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the history leads to where nothing dies."""
    with installation(services, tmp_path_factory.mktemp("undisturbed")) as product:
        began = now()
        publish(product, records)
        product.run_until_caught_up()
        return look(product, began)


# --- servers that are killed ---------------------------------------------------------------------------------------


@pytest.mark.timeout(120 * SOAK)
@pytest.mark.parametrize("name", ["postgresql", "kafka", "redis"])
def test_a_service_is_killed_and_started_again(
    stack: Stack, tmp_path: Path, records: list[Outgoing], undisturbed: Outcome, name: ServiceName
) -> None:
    with installation(stack.up(), tmp_path, batch_size=SMALL_BATCH) as product:
        began = now()
        publish(product, records)
        ends = product.ends()
        worker = product.start("--verbose")
        for death in range(SOAK):
            share = len(records) * (death + 1) // (2 * SOAK)
            wait_until(lambda: applied(product) >= share, f"{share} events applied\n{worker.words}")  # noqa: B023
            with killed(stack, name):
                pass

        wait_until_announced(product, worker, ends, RECOVERY_SECONDS)
        assert worker.terminate() == 0, worker.words
        look(product, began).must_be_like(undisturbed, f"FAULT_SEED={SEED + 2}\n{worker.words}")


# --- the answer to COMMIT is lost ----------------------------------------------------------------------------------


class CommitCutter(Proxy):
    """A proxy before PostgreSQL that breaks a connection once, at a COMMIT.

    Args:
        database_url: the server.
        marker: cuts the COMMIT of a transaction that held this text.
        when: before PostgreSQL has the COMMIT, or after it has done it, but before the client knows.
        passages: how many such commits to let pass first.
    """

    def __init__(self, database_url: str, marker: bytes, when: Literal["before", "after"], passages: int = 0) -> None:
        super().__init__(database_url)
        # What is encrypted cannot be watched.
        self.database_url = self.url(urlsplit(database_url)._replace(query="sslmode=disable").geturl())
        self._marker = marker
        self._action = Action.CUT if when == "before" else Action.CUT_AFTER
        self._passages = passages
        self._counting = threading.Lock()
        self.has_cut = threading.Event()

    def judge(self, connection: Connection, data: bytes) -> Action:
        connection.is_marked = connection.is_marked or self._marker in data
        if b"COMMIT\0" not in data:
            return Action.FORWARD
        if connection.is_marked and self._is_the_one():
            self.has_cut.set()
            return self._action
        connection.is_marked = False
        return Action.FORWARD

    def _is_the_one(self) -> bool:
        with self._counting:
            self._passages -= 1
            return self._passages == -1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_happens_once(
    services: Services, tmp_path: Path, records: list[Outgoing], undisturbed: Outcome, when: Literal["before", "after"]
) -> None:
    with ExitStack() as stack:
        product = stack.enter_context(installation(services, tmp_path))
        url = product.settings.database_url or ""
        cutter = stack.enter_context(closing(CommitCutter(url, b"UPDATE consumer_offset", when, passages=2)))
        began = now()
        publish(product, records)

        worker = product.run_until_caught_up(database_url=cutter.database_url)

        words = f"FAULT_SEED={SEED + 2}\n{worker.words}"
        assert cutter.has_cut.is_set(), words
        assert "tried again" in worker.words, words
        look(product, began).must_be_like(undisturbed, words)


def pushed(id_: str) -> CommitsPushed:
    return CommitsPushed(id=id_, source="/ci", organization="acme", version="1.0", commits=[CommitData(id=id_ * 40)])


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_waiting_event_is_applied_once_though_the_answer_to_its_commit_is_lost(
    services: Services, tmp_path: Path, when: Literal["before", "after"]
) -> None:
    with ExitStack() as stack:
        product = stack.enter_context(installation(services, tmp_path))
        url = product.settings.database_url or ""
        cutter = stack.enter_context(closing(CommitCutter(url, b"DELETE FROM parked_event", when)))
        client = stack.enter_context(closing(redis.Redis.from_url(services.redis_url)))
        began = now()
        product.publish(ReleaseCreated(id="0", source="/ci", organization="acme", version="1.0", projects=["web"]))
        product.run_until_caught_up()
        with product.engine.connect() as connection:
            release = connection.execute(text("SELECT organization_id, id FROM release")).one()
        lock = release_lock_key(*release)
        client.set(lock, "another", px=60_000)
        product.publish(*(pushed(id_) for id_ in ("1", "2", "1")))

        worker = product.start("--until-caught-up", database_url=cutter.database_url)
        wait_until(lambda: parked(product) == 2, f"two events wait\n{worker.words}")
        client.delete(lock)
        assert worker.wait() == 0, worker.words

        assert cutter.has_cut.is_set(), worker.words
        seen = look(product, began).seen
        assert broken_promises(seen) == [], worker.words
        fates = [(position.applied, position.duplicate, position.parked) for position in seen.positions.values()]
        assert (3, 1, 0) in fates, worker.words
