"""Runs the services as Docker containers, through ``testcontainers``, where a local daemon answers."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException, NotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from consumer.errors import ServiceUnavailable, UsageError
from consumer.services import broker, versions
from consumer.services.ports import HOST, free_port
from consumer.services.probe import wait_until_answers
from consumer.services.state import Record, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services.model import ServiceName

_PING_TIMEOUT = 3  # seconds
_START_TIMEOUT = 120.0  # seconds from the start of the container; pulling its image is not counted
_STOP_TIMEOUT = 20  # seconds
_CONTROLLER = "localhost:9093"
_USER = "release_consumer"

# Port and data folder inside the container.
_INSIDE: dict[ServiceName, tuple[int, str]] = {
    "kafka": (9092, "/var/lib/kafka/data"),
    "postgresql": (5432, "/var/lib/postgresql"),
    "redis": (6379, "/data"),
}


def daemon_answers() -> bool:
    """Whether a Docker daemon of this machine answers within seconds; one on another host is not asked."""
    try:
        with closing(docker.from_env(timeout=_PING_TIMEOUT)) as client:
            return bool(client.api.base_url.startswith("http+") and client.ping())
    except (DockerException, OSError):
        return False


class DockerProvider:
    """The containers of one data folder; their data is in named volumes.

    Args:
        state: the state of the data folder.
        progress: told, in words for a person, of work that takes long.
    """

    def __init__(self, state: State, progress: Callable[[str], None]) -> None:
        self._state = state
        self._progress = progress

    def is_running(self, record: Record) -> bool:
        """Whether the container runs; ``False`` also when no daemon answers."""
        if record.container is None:
            return False
        try:
            with closing(docker.from_env()) as client:
                return bool(client.containers.get(record.container).status == "running")
        except (DockerException, OSError):
            return False

    def start(self, name: ServiceName, record: Record | None) -> Record:
        """Start a container, pulling its image first where needed, and wait until the service answers.

        Raises:
            UsageError: the daemon refuses, or the service does not answer in time; its container is removed.
        """
        record = self._fresh(name) if record is None else self.stop(name, record)
        self._progress(f"{name}: starting a container of {_image(name)}")
        testcontainers_config.ryuk_disabled = True  # it would remove the container when this command ends
        try:
            container = _container(name, record).start().get_wrapped_container()
        except (DockerException, OSError) as error:
            msg = f"{name}: Docker cannot run {_image(name)}: {str(error).splitlines()[0]}"
            raise UsageError(msg) from None
        container.reload()
        record = replace(record, container=container.id, pid=container.attrs["State"]["Pid"])
        self._state.put(name, record)  # before it answers: a command cut short here must not lose the container
        try:
            wait_until_answers(name, record.url, timeout=_START_TIMEOUT, alive=lambda: self.is_running(record))
        except ServiceUnavailable as error:
            words = container.logs(tail=1).decode(errors="replace").strip()
            self.stop(name, record)
            msg = f"{name}: {error}; the last line of its container's log: {words}"
            raise UsageError(msg) from None
        return record

    def stop(self, name: ServiceName, record: Record) -> Record:
        """Stop and remove the container; its volume stays.

        Raises:
            UsageError: the daemon does not answer.
        """
        if record.container is not None:
            try:
                with closing(docker.from_env()) as client:
                    container = client.containers.get(record.container)
                    container.stop(timeout=_STOP_TIMEOUT)
                    container.remove(force=True)
            except NotFound:
                pass  # removed by hand: what was asked for
            except (DockerException, OSError) as error:
                msg = f"{name}: Docker cannot stop container {record.container}: {str(error).splitlines()[0]}"
                raise UsageError(msg) from None
        stopped = replace(record, container=None, pid=None)
        self._state.put(name, stopped)
        return stopped

    def wipe(self, record: Record) -> None:
        """Delete the volume.

        Raises:
            UsageError: the daemon refuses.
        """
        try:
            with closing(docker.from_env()) as client:
                client.volumes.get(record.data).remove(force=True)
        except NotFound:
            pass
        except (DockerException, OSError) as error:
            msg = f"Docker cannot delete volume {record.data}: {str(error).splitlines()[0]}"
            raise UsageError(msg) from None

    def _fresh(self, name: ServiceName) -> Record:
        address = f"{HOST}:{free_port()}"
        # The daemon is shared by all data folders of the machine.
        stack = hashlib.sha256(str(self._state.folder).encode()).hexdigest()[:12]
        return Record("docker", address, _url(name, address), f"release-consumer-{stack}-{name}")


def _image(name: ServiceName) -> str:
    images: dict[ServiceName, str] = {
        "kafka": versions.KAFKA_IMAGE,
        "postgresql": versions.POSTGRESQL_IMAGE,
        "redis": versions.VALKEY_IMAGE,
    }
    return images[name]


def _url(name: ServiceName, address: str) -> str:
    if name == "kafka":
        return address
    if name == "redis":
        return f"redis://{address}/0"
    return f"postgresql://{_USER}:{secrets.token_urlsafe(24)}@{address}/{_USER}"


def _container(name: ServiceName, record: Record) -> DockerContainer:
    port, data = _INSIDE[name]
    container = DockerContainer(_image(name)).with_volume_mapping(record.data, data, "rw")
    container.env.update(_environment(name, record))
    # testcontainers passes this on to Docker as it is, but its types know of no address: all would be listened on.
    container.ports[f"{port}/tcp"] = (HOST, record.port)  # type: ignore[assignment]
    if name == "redis":
        container.with_command(["valkey-server", "--appendonly", "yes"])
    return container


def _environment(name: ServiceName, record: Record) -> dict[str, str]:
    if name == "postgresql":
        password = urlsplit(record.url).password or ""
        return {
            "POSTGRES_USER": _USER,
            "POSTGRES_PASSWORD": password,
            "POSTGRES_DB": _USER,
            "POSTGRES_INITDB_ARGS": " ".join(versions.POSTGRESQL_INITDB_ARGUMENTS),
        }
    if name == "kafka":
        return broker.environment(
            {
                **broker.one_node(controller=_CONTROLLER, data=_INSIDE["kafka"][1]),
                "listeners": f"PLAINTEXT://:9092,CONTROLLER://{_CONTROLLER}",
                "advertised.listeners": f"PLAINTEXT://{record.address}",
            }
        )
    return {}
