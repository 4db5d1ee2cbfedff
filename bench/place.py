"""A place with a worker in it: where a workload is measured."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.backlog import Backlog
from bench.databases import checkpoint, query
from bench.worker import PRODUCT, Worker, running_worker
from consumer.demo.place import own_place
from consumer.demo.worker import run_until_caught_up, set_up
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.client import Document
    from consumer.services import Services
    from consumer.settings import Settings

_FATES = "SELECT sum(applied), sum(duplicate), sum(parked), sum(dead) FROM consumer_offset"


@dataclass(frozen=True, slots=True)
class Run:
    """What a backlog took.

    Args:
        events: how many events it had.
        seconds: until all were announced.
        cpu_seconds: that the workers computed meanwhile; it includes what they did while the backlog was sent, next to
            nothing.
    """

    events: int
    seconds: float
    cpu_seconds: float


class Place:
    """Database, topics and group of one measurement, and the workers in it.

    Args:
        settings: where it is.
        server_url: another database of the same PostgreSQL.
        workers: ends what it started at the end.
    """

    def __init__(self, settings: Settings, server_url: str, workers: ExitStack) -> None:
        self.settings = settings
        self.database_url = settings.database_url or ""
        self.workers: list[Worker] = []
        self._server_url = server_url
        self._exit = workers
        self._backlog = Backlog(settings, self._require_alive)

    def seed(self, documents: Sequence[Document]) -> None:
        """Apply events before any worker of the place runs; afterwards nobody is connected to the database."""
        self._backlog.send(documents)
        run_until_caught_up(self.settings, lambda: None)

    def start_worker(self, program: Sequence[str] = PRODUCT) -> None:
        """Start one more worker."""
        instance = f"{self.settings.group_id}-{len(self.workers) + 1}"
        self.workers.append(self._exit.enter_context(running_worker(self.settings, instance, program)))

    def stop_workers(self) -> None:
        """Drain and end all workers."""
        for worker in self.workers:
            worker.stop()

    def run(self, documents: Sequence[Document], *, changing: bool = True) -> Run:
        """Let the workers apply and announce a backlog.

        Args:
            documents: the events.
            changing: whether they are to change something; else all must be known already.

        Raises:
            UsageError: an event met another fate.
        """
        before = self._fates()
        checkpoint(self._server_url)
        cpu_before = self.cpu_seconds()
        seconds = self._backlog.run(documents)
        run = Run(len(documents), seconds, self.cpu_seconds() - cpu_before)
        applied, duplicate, parked, dead = (b - a for a, b in zip(before, self._fates(), strict=True))
        if (applied if changing else duplicate) != len(documents):
            message = (
                f"of {len(documents)} events {applied} were applied, {duplicate} known already, {parked} made to wait"
                f" and {dead} refused"
            )
            raise UsageError(message)
        return run

    def close(self) -> None:
        """Disconnect from Kafka."""
        self._backlog.close()

    def cpu_seconds(self) -> float:
        """How long all workers have computed so far."""
        return sum(worker.cpu_seconds() for worker in self.workers)

    def resident_mib(self) -> float:
        """The most memory that one of the workers held so far, MiB."""
        return max(worker.resident_mib() for worker in self.workers)

    def _fates(self) -> tuple[int, ...]:
        (row,) = query(self.database_url, _FATES)
        return tuple(int(count or 0) for count in row)

    def _require_alive(self) -> None:
        for worker in self.workers:
            worker.require_alive()


@contextmanager
def open_place(services: Services, settings: Settings) -> Iterator[Place]:
    """Make a place, with tables and topics; workers are stopped and all is removed at the end.

    Args:
        services: where Kafka, PostgreSQL and Redis answer.
        settings: of the benchmark; ``stack_data`` is the folder of its stack.
    """
    with own_place(services, settings.stack_data, "bench") as own, ExitStack() as workers:
        set_up(own)
        place = Place(own, services.database_url, workers)
        workers.callback(place.close)
        yield place
