"""The stack of one data folder: bring its services up and down, and tell how they are."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consumer.errors import UsageError
from consumer.services.choose import Source, choose_sources
from consumer.services.model import SERVICE_NAMES, SETTING_OF, ServiceName, Services, named_server
from consumer.services.probe import refusal_of
from consumer.services.state import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services.provider import Provider
    from consumer.services.state import Record
    from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class Status:
    """How one service is.

    Args:
        source: who runs it; ``None``: nobody, it was never up.
        running: its process, or container, is alive and it answers; for a named server: it answers.
        problem: why it does not answer, when it should.
        address: where it answers, without secrets.
        pid: process id of the server, in a container as the machine sees it.
        container: id of a Docker container.
        data: data folder, or Docker volume.
        log: log file of an embedded server.
    """

    source: Source | None
    running: bool
    problem: str | None = None
    address: str | None = None
    pid: int | None = None
    container: str | None = None
    data: str | None = None
    log: str | None = None


class Stack:
    """The services of one data folder.

    Args:
        settings: ``stack_data`` is the data folder; servers that are named are left alone.
        progress: told, in words for a person, what happens.
    """

    def __init__(self, settings: Settings, progress: Callable[[str], None]) -> None:
        self._settings = settings
        self._state = State(settings.stack_data.resolve())
        self._progress = progress

    def up(self) -> Services:
        """Start what is down and return when all three answer; what runs and answers is left as it is.

        One command at a time works on a folder; another waits for it.

        Raises:
            UsageError: a service does not come up; each is told with its reason. Those that came up stay up.
        """
        with self._state.locked():
            sources = choose_sources(self._settings, self._state.records(), _docker_answers)
            for source in set(sources.values()) - {"settings"}:
                self._provider(source)  # a package that is not installed is told once, not for each service
            with ThreadPoolExecutor(len(SERVICE_NAMES)) as pool:
                ups = {name: pool.submit(self._up, name, source) for name, source in sources.items()}
            failures = [str(up.exception()) for up in ups.values() if isinstance(up.exception(), UsageError)]
            if failures:
                raise UsageError("; ".join(failures))
            return Services(**{SETTING_OF[name]: up.result() for name, up in ups.items()})

    def down(self, *, wipe: bool = False) -> None:
        """Stop the services of the folder, in order within a bound, else by force. What is down already is fine.

        Args:
            wipe: delete their data too.
        """
        with self._state.locked():
            records = self._state.records()
            with ThreadPoolExecutor(len(SERVICE_NAMES)) as pool:
                downs = [pool.submit(self._down, name, record, wipe=wipe) for name, record in records.items()]
            for down in downs:
                down.result()

    def status(self) -> dict[ServiceName, Status]:
        """How each service is, asked now."""
        records = self._state.records()
        return {name: self._status(name, records.get(name)) for name in SERVICE_NAMES}

    def _up(self, name: ServiceName, source: Source) -> str:
        named = named_server(self._settings, name)
        if named is not None:
            return self._named(name, named)
        provider = self._provider(source)
        record = self._state.records().get(name)
        if record is not None and provider.is_running(record):
            refusal = refusal_of(name, record.url)
            if refusal is None:
                self._progress(f"{name}: is up on {record.address}")
                return record.url
            self._progress(f"{name}: runs but does not answer ({refusal}); it is started anew")
            record = provider.stop(name, record)
        began = time.monotonic()
        record = provider.start(name, record)
        self._progress(f"{name}: up on {record.address} ({time.monotonic() - began:.1f} s)")
        return record.url

    def _named(self, name: ServiceName, url: str) -> str:
        refusal = refusal_of(name, url)
        if refusal is not None:
            msg = f"{name}: {_address(url)}, which the settings name, does not answer ({refusal})"
            raise UsageError(msg)
        self._progress(f"{name}: {_address(url)}, which the settings name, answers")
        return url

    def _down(self, name: ServiceName, record: Record, *, wipe: bool) -> None:
        provider = self._provider(record.provider)
        was_running = provider.is_running(record)
        record = provider.stop(name, record)
        self._progress(f"{name}: down" if was_running else f"{name}: was down")
        if wipe:
            provider.wipe(record)
            self._state.forget(name)
            self._progress(f"{name}: data wiped")

    def _status(self, name: ServiceName, record: Record | None) -> Status:
        named = named_server(self._settings, name)
        if named is not None:
            problem = refusal_of(name, named)
            return Status("settings", running=problem is None, problem=problem, address=_address(named))
        if record is None:
            return Status(None, running=False)
        alive = self._provider(record.provider).is_running(record)
        problem = refusal_of(name, record.url) if alive else None
        return Status(
            record.provider,
            running=alive and problem is None,
            problem=problem,
            address=record.address,
            pid=record.pid if alive else None,
            container=record.container if alive else None,
            data=record.data,
            log=record.log,
        )

    def _provider(self, source: Source) -> Provider:
        # Imported here: each needs packages of an extra that need not be installed.
        try:
            if source == "docker":
                from consumer.services.docker import DockerProvider

                return DockerProvider(self._state, self._progress)
            from consumer.services.embedded.provider import EmbeddedProvider

            return EmbeddedProvider(self._state, self._progress)
        except ImportError as error:
            msg = (
                f"{error.name} is not installed, which a stack of {source} services needs; "
                f"run `pip install 'release-consumer[{source}]'`, or name servers by settings"
            )
            raise UsageError(msg) from None


def _docker_answers() -> bool:
    try:
        from consumer.services.docker import daemon_answers
    except ImportError:
        return False
    return daemon_answers()


def _address(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or url if "://" in url else url
