"""What a stack asks of those that run services for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from consumer.services.model import ServiceName
    from consumer.services.state import Record


class Provider(Protocol):
    """Runs services: as processes of this machine, or as Docker containers."""

    def is_running(self, record: Record) -> bool:
        """Whether the service's process or container is alive; it may not answer yet."""

    def start(self, name: ServiceName, record: Record | None) -> Record:
        """Start a service and wait until it answers.

        Args:
            name: which.
            record: what is remembered of it, when its data is there already.

        Returns:
            What to remember of it; it was written to the state already.

        Raises:
            UsageError: it does not start; says why, and where its log is.
        """

    def stop(self, name: ServiceName, record: Record) -> Record:
        """Stop a service in order within a bound, else kill it; one that is down already is fine. Data stays.

        Returns:
            What to remember of it from now on.
        """

    def wipe(self, record: Record) -> None:
        """Delete the data of a stopped service."""
