"""The workers of one installation, each with connections of its own that can be cut."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

from consumer import failpoints
from consumer.cli.run import EXIT_FORCED
from tests.chaos.publishing import Publisher
from tests.support.crashing import installation
from tests.support.proxy import Proxy, before_kafka

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random
    from typing import Literal, Self

    from consumer.services import Services
    from tests.support.product import Product
    from tests.support.product import Worker as Process

    Protocol = Literal["classic", "consumer"]

SESSION_SECONDS = 6
_PARTITIONS = 6
_WORKERS = (2, 3)
_LAST_LINES = 25
_PASSAGES = 20
_DRAIN_SECONDS = 10


class Slot:
    """A place for a worker: whatever runs here has the same name and the same connections.

    Args:
        product: the installation.
        services: the servers behind the proxies.
        name: for people.
        instance_id: stable name of the worker; ``None``: it has a new one every time.
    """

    def __init__(self, product: Product, services: Services, name: str, instance_id: str | None) -> None:
        self.name = name
        self._product = product
        self._instance_id = instance_id
        url, redis_url = product.settings.database_url or "", services.redis_url
        self.proxies = {"kafka": before_kafka(services), "postgresql": Proxy(url), "redis": Proxy(redis_url)}
        self._given = {
            "kafka_bootstrap_servers": self.proxies["kafka"].address,
            "database_url": self.proxies["postgresql"].url(url),
            "redis_url": self.proxies["redis"].url(redis_url),
        }
        self._process: Process | None = None
        self._is_doomed = False
        self._processes: list[Process] = []
        self.deaths: list[str] = []
        """What was said last by workers that ended, though nobody ended them."""

    def __str__(self) -> str:
        return self.name

    def start(self, failpoint: str | None = None) -> None:
        """Start a worker; with a failpoint it kills itself there."""
        given = self._given | ({"instance_id": self._instance_id} if self._instance_id else {})
        self._is_doomed = failpoint is not None
        self._process = self._product.start("--verbose", **given, **({"failpoint": failpoint} if failpoint else {}))
        self._processes.append(self._process)

    def kill(self) -> None:
        """Kill the worker, if one runs."""
        self._signal(signal.SIGKILL)
        self._end()

    def stop(self) -> None:
        """Let the worker stand still."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def leave(self) -> None:
        """Tell the worker to end, and wait until it does; services may be away, so it may be forced."""
        self._signal(signal.SIGTERM)
        process, code = self._process, self._end()
        # One that has only just been started does not listen yet, and does nothing yet.
        if process is not None and code not in {0, EXIT_FORCED, -signal.SIGTERM}:
            self._note_death(process, code)

    def restart_if_dead(self) -> None:
        """Start another in the place of one that has ended."""
        if self._process is None or self._process.is_running:
            return
        code = self._process.wait()
        if not (self._is_doomed and code == -signal.SIGKILL):
            self._note_death(self._process, code)
        self.start()

    def words(self) -> str:
        """What its worker said last."""
        lines = self._process.lines[-_LAST_LINES:] if self._process else ["no worker runs"]
        return "\n    ".join([f"{self.name}:", *lines])

    def all_words(self) -> str:
        """Everything that its workers said, one after the other."""
        return "\n".join(line for p in self._processes for line in (f"--- worker {p.pid}", *p.lines))

    def heal(self) -> None:
        """Let new connections through."""
        for proxy in self.proxies.values():
            proxy.heal()

    def close(self) -> None:
        """Kill its worker, and close the proxies."""
        self.kill()
        for proxy in self.proxies.values():
            proxy.close()

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.is_running:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _end(self) -> int:
        if self._process is None:
            return 0
        code = self._process.wait()
        self._process.close()
        self._process = None
        return code

    def _note_death(self, process: Process, code: int) -> None:
        words = "\n    ".join(process.lines[-_LAST_LINES:])
        self.deaths.append(f"{self.name} ended with exit code {code}\n    {words}")


class Crew:
    """An installation with some workers and a publisher.

    Args:
        services: the servers.
        folder: where its commands run.
        protocol: group protocol.
        random: chooses how many workers, and which of them have a stable name.
    """

    def __init__(self, services: Services, folder: Path, protocol: Protocol, random: Random) -> None:
        self.protocol = protocol
        self._stack = ExitStack()
        self.product = self._stack.enter_context(
            installation(
                services,
                folder,
                topic_partitions=_PARTITIONS,
                group_protocol=protocol,
                session_timeout_seconds=SESSION_SECONDS,
                transaction_timeout_seconds=SESSION_SECONDS,
                statement_timeout_seconds=SESSION_SECONDS,
                drain_timeout_seconds=_DRAIN_SECONDS,
            )
        )
        # With KIP-848 a stable name stays taken for the length of a session: a restart would be refused.
        named = [protocol == "classic" and random.random() < 0.5 for _ in range(random.choice(_WORKERS))]
        self.slots = [
            self._stack.enter_context(
                closing(Slot(self.product, services, f"{protocol}-{number}", f"worker-{number}" if is_named else None))
            )
            for number, is_named in enumerate(named)
        ]
        self.publisher = Publisher(self.product, random.randrange(10**6))

    def __str__(self) -> str:
        return f"{len(self.slots)} workers of a {self.protocol} group"

    def __enter__(self) -> Self:
        for slot in self.slots:
            slot.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def any_failpoint(random: Random) -> str:
    """A labelled point, and how many passages it lets pass."""
    return f"{random.choice(failpoints.NAMES)}:{random.randint(1, _PASSAGES)}"
