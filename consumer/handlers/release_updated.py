"""``release-updated``: change what a release says of itself; a first ``dateReleased`` means that it is out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from consumer.codes import ReleaseStatus
from consumer.contracts.timestamps import format_timestamp
from consumer.handlers.facts import Recorder
from consumer.handlers.releases import change_status, known_release

if TYPE_CHECKING:
    from consumer.contracts.events import ReleaseUpdated
    from consumer.store.needs import Needs
    from consumer.store.rows import Release
    from consumer.store.working_set import WorkingSet

_FIELDS = {"ref": "ref", "url": "url", "date_released": "dateReleased"}


@dataclass(slots=True)
class ReleaseUpdatedPlan:
    """A planned ``release-updated``."""

    event: ReleaseUpdated

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        needs.release(self.event.organization, self.event.version, [])

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; only given fields change.

        Raises:
            UnknownRelease: there is no such release; nothing was changed.
        """
        event = self.event
        release = known_release(rows, event)
        recorder = Recorder(rows, event)
        was_released = release.date_released is not None
        changes = _change_fields(release, event)
        if event.status is not None:
            changes |= change_status(release, ReleaseStatus[event.status.upper()])
        if not changes:
            return
        release.changed = True
        if release.date_released is not None and not was_released:
            for project in release.projects_by_slug():
                recorder.release_released(release, project)
        recorder.release_updated(release, changes)


def _change_fields(release: Release, event: ReleaseUpdated) -> dict[str, dict[str, Any]]:
    changes = {}
    for attribute, name in _FIELDS.items():
        before, after = getattr(release, attribute), getattr(event, attribute)
        if after is not None and after != before:
            setattr(release, attribute, after)
            changes[name] = {"from": _as_json(before), "to": _as_json(after)}
    return changes


def _as_json(value: str | datetime | None) -> str | None:
    return format_timestamp(value) if isinstance(value, datetime) else value
