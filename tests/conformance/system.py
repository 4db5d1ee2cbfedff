"""What a scenario needs of the system under test, and the reference model as the first such system."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tests.model.reference import ReferenceModel, fallback_repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.contracts.events import AnyEvent
    from tests.model.outcomes import Outcome

Json = dict[str, Any]
DAWN = datetime(2025, 1, 1, tzinfo=UTC)


class System(Protocol):
    """A running system that knows nothing yet.

    Scenarios use organization ``acme``; every scenario starts from a system without any data.
    """

    def publish(self, *events: AnyEvent | Json) -> None:
        """Send events to their topics, in this order: typed ones, or CloudEvents documents that may be invalid."""

    def process(self) -> None:
        """Return when all that was published is applied and announced, or dead."""

    def release(self, organization: str, version: str) -> Json | None:
        """Return the JSON of a release, ``None`` where there is none."""

    def group(self, organization: str, short_id: str) -> Json | None:
        """Return the JSON of a group, ``None`` where there is none."""

    def activities(self) -> list[Json]:
        """Return the CloudEvents announced so far, those of one record key in their order."""

    def dead_letters(self) -> list[Json]:
        """Return ``{"source", "id", "reason", "violations": [{"path", "message"}]}`` of every dead event."""

    def fallback_repository(self, organization: str) -> str:
        """Return the name of the repository of commits that name none: ``organization-<organization id>``."""


class ModelSystem:
    """The reference model behind the protocol. It takes typed events only: decoding is not the model's."""

    def __init__(self) -> None:
        self._model = ReferenceModel()
        self._pending: list[AnyEvent] = []
        self._dead: list[Json] = []
        self._now = DAWN

    def publish(self, *events: AnyEvent | Json) -> None:
        """Keep typed events for the next ``process``."""
        for event in events:
            if isinstance(event, dict):
                msg = "documents that may be invalid are for a system that decodes"
                raise TypeError(msg)
            self._pending.append(event)

    def process(self) -> None:
        """Apply what was published, a second of model time apart."""
        for event in self._pending:
            self._now += timedelta(seconds=1)
            outcome = self._model.apply(event, self._now)
            if outcome.kind == "dead":
                self._dead.append(_dead_letter(event, outcome))
        self._pending.clear()

    def release(self, organization: str, version: str) -> Json | None:
        """Read a release from the model."""
        return _known(self._model.release, organization, version)

    def group(self, organization: str, short_id: str) -> Json | None:
        """Read a group from the model."""
        return _known(self._model.group, organization, short_id)

    def activities(self) -> list[Json]:
        """Number the announced activities."""
        return [
            {"id": str(number), "type": activity.type, "data": activity.data}
            for number, activity in enumerate(self._model.activities)
        ]

    def dead_letters(self) -> list[Json]:
        """Return the dead letters, the reason standing for the message."""
        return list(self._dead)

    def fallback_repository(self, organization: str) -> str:
        """Return the stand-in of the model."""
        return fallback_repository(organization)


def _known(read: Callable[[str, str], Json], organization: str, name: str) -> Json | None:
    try:
        return read(organization, name)
    except KeyError:
        return None


def _dead_letter(event: AnyEvent, outcome: Outcome) -> Json:
    violations = [{"path": path, "message": outcome.reason} for path in outcome.paths]
    return {"source": event.source, "id": event.id, "reason": outcome.reason, "violations": violations}
