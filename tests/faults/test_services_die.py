"""PostgreSQL, Kafka and Redis die under a worker: it goes on by itself, nothing is lost, nothing happens twice.

``FAULT_SEED`` repeats a history; ``FAULT_SOAK=10`` lets each service die ten times in a run.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest
import redis
from confluent_kafka import KafkaException
from sqlalchemy import text

from consumer.contracts.events import CommitData, CommitsPushed, ReleaseCreated
from consumer.ids.lock import release_lock_key
from consumer.services.ports import is_free
from consumer.services.stack import Stack
from consumer.settings import ENV_PREFIX, load_settings
from tests.support.checker import broken_promises
from tests.support.crashing import SEED, SOAK, independent_history, installation, look, now, publish
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services
    from consumer.services.model import ServiceName
    from tests.support.crashing import Outcome, Outgoing
    from tests.support.product import Product, Worker

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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Embedded servers that no other test uses."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"):
            patch.delenv(f"{ENV_PREFIX}{name}", raising=False)
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        told: list[str] = []
        stack = Stack(load_settings(stack_data=tmp_path_factory.mktemp("mortal")), told.append)
        try:
            stack.up()
            yield stack
        finally:
            stack.down(wipe=True)


def kill_and_start(stack: Stack, name: ServiceName) -> None:
    """Kill a server, and start it again where it was."""
    status = stack.status()[name]
    assert status.pid is not None
    assert status.address is not None
    port = int(status.address.rpartition(":")[2])
    os.kill(status.pid, signal.SIGKILL)
    # Else it would be started elsewhere, where no client looks for it.
    wait_until(lambda: not stack.status()[name].running and is_free(port), f"{name} is gone")
    stack.up()
    assert stack.status()[name].address == status.address


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
            kill_and_start(stack, name)

        def is_announced() -> bool:
            assert worker.is_running, worker.words
            with suppress(KafkaException):
                committed = product.committed()
                return all(committed.get(partition, (0, ""))[0] >= end for partition, end in ends.items())
            return False

        with words_of(worker):
            wait_until(is_announced, "everything is announced", RECOVERY_SECONDS)
        assert worker.terminate() == 0, worker.words
        look(product, began).must_be_like(undisturbed, f"FAULT_SEED={SEED + 2}\n{worker.words}")


@contextmanager
def words_of(worker: Worker) -> Iterator[None]:
    """Add to a failure what the worker has said by then."""
    try:
        yield
    except AssertionError as error:
        error.add_note(worker.words)
        raise


def parked(product: Product) -> int:
    with product.engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM parked_event")).scalar_one())


def applied(product: Product) -> int:
    with product.engine.connect() as connection:
        return int(connection.execute(text("SELECT coalesce(sum(next_offset), 0) FROM consumer_offset")).scalar_one())


# --- the answer to COMMIT is lost ----------------------------------------------------------------------------------


class CommitCutter:
    """A proxy before PostgreSQL that breaks a connection once, at a COMMIT.

    Args:
        database_url: the server.
        marker: cuts the COMMIT of a transaction that held this text.
        when: before PostgreSQL has the COMMIT, or after it has done it, but before the client knows.
        passages: how many such commits to let pass first.
    """

    def __init__(self, database_url: str, marker: bytes, when: Literal["before", "after"], passages: int = 0) -> None:
        self._server = urlsplit(database_url)
        self._marker = marker
        self._when = when
        self._passages = passages
        self._cut = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.has_cut = threading.Event()
        port = self._listener.getsockname()[1]
        credentials = self._server.netloc.rpartition("@")[0]
        # What is encrypted cannot be watched.
        self.url = self._server._replace(netloc=f"{credentials}@127.0.0.1:{port}", query="sslmode=disable").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection((self._server.hostname or "", self._server.port or 0))
        answers = threading.Thread(target=self._answer, args=(server, client), daemon=True)
        answers.start()
        with client, server:
            with suppress(OSError):
                self._ask(client, server)
            with suppress(OSError):
                server.shutdown(socket.SHUT_WR)
            answers.join()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        is_marked = False
        while data := client.recv(65536):
            is_marked = is_marked or self._marker in data
            if b"COMMIT\0" in data:
                if is_marked and self._is_the_one():
                    self.has_cut.set()
                    client.shutdown(socket.SHUT_RDWR)
                    if self._when == "after":
                        server.sendall(data)
                    # PostgreSQL does what it was asked before it sees that nobody is there any more.
                    server.shutdown(socket.SHUT_WR)
                    return
                is_marked = False
            server.sendall(data)

    def _is_the_one(self) -> bool:
        with self._cut:
            self._passages -= 1
            return self._passages == -1

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                with suppress(OSError):
                    client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


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

        worker = product.run_until_caught_up(database_url=cutter.url)

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

        worker = product.start("--until-caught-up", database_url=cutter.url)
        wait_until(lambda: parked(product) == 2, f"two events wait\n{worker.words}")
        client.delete(lock)
        assert worker.wait() == 0, worker.words

        assert cutter.has_cut.is_set(), worker.words
        seen = look(product, began).seen
        assert broken_promises(seen) == [], worker.words
        fates = [(position.applied, position.duplicate, position.parked) for position in seen.positions.values()]
        assert (3, 1, 0) in fates, worker.words
