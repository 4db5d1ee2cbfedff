"""The services that the demo runs on: those that are up, and for as long as it lasts those that it starts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumer.services.stack import Stack
from consumer.services.state import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services
    from consumer.services.model import ServiceName
    from consumer.services.provider import Provider
    from consumer.services.state import Record
    from consumer.settings import Settings

    Progress = Callable[[str], None]


@contextmanager
def borrowed_services(settings: Settings, progress: Progress) -> Iterator[Services]:
    """Bring up what is down; at the end, whatever happened, stop that again and nothing else.

    Args:
        settings: may name servers; ``stack_data`` is the folder of the stack.
        progress: told, in words for a person, what happens.

    Raises:
        UsageError: a service does not come up.
    """
    stack = Stack(settings, progress)
    down_before = [name for name, status in stack.status().items() if not status.running]
    try:
        yield stack.up()
    finally:
        _stop(settings, down_before, progress)


def _stop(settings: Settings, names: list[ServiceName], progress: Progress) -> None:
    state = State(settings.stack_data.resolve())
    if not state.path.exists():
        return  # all servers are named by settings
    with state.locked():
        for name, record in state.records().items():
            provider = _provider(record, state, progress)
            if name in names and provider.is_running(record):
                provider.stop(name, record)
                progress(f"{name}: down")


def _provider(record: Record, state: State, progress: Progress) -> Provider:
    # Imported here: each needs packages of an extra that need not be installed.
    if record.provider == "docker":
        from consumer.services.docker import DockerProvider

        return DockerProvider(state, progress)
    from consumer.services.embedded.provider import EmbeddedProvider

    return EmbeddedProvider(state, progress)
