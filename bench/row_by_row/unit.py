"""The unit of work of one event: its session, its rows by natural key, and what it says."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from bench.row_by_row.models import Activity, Base
from consumer.contracts.timestamps import format_timestamp

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bench.row_by_row.models import Group, Release
    from consumer.contracts.events import Actor, ReleaseEvent

T = TypeVar("T", bound=Base)

# Above all ids that the product gives, so that both may write to one database one after the other.
_ids = count(1 << 60)


def new_id() -> int:
    """An id that no row has; free of cost, which other ways are not."""
    return next(_ids)


class Unit:
    """What the rules need to apply one event.

    Args:
        session: of this event alone.
        event: the event.
        offset: its place in the list of events.
    """

    def __init__(self, session: Session, event: ReleaseEvent, offset: int) -> None:
        self.session = session
        self.event = event
        self._offset = offset
        self.now = datetime.now(UTC)

    def get_or_create(self, model: type[T], key: dict[str, Any], **defaults: Any) -> tuple[T, bool]:
        """The row of a natural key, and whether it was created just now.

        A row that another transaction creates meanwhile must not lose this one: hence ``ON CONFLICT``, which spares the
        two round trips of a savepoint.
        """
        query = select(model).filter_by(**key)
        row = self.session.scalars(query).one_or_none()
        if row is not None:
            return row, False
        new = insert(model).values(id=new_id(), **key, **defaults).on_conflict_do_nothing().returning(model)
        row = self.session.scalars(new).one_or_none()
        return (row, True) if row is not None else (self.session.scalars(query).one(), False)

    def tell_of_release(self, type_: str, discriminator: str, release: Release, data: dict[str, Any]) -> None:
        """Keep an activity about the release of the event."""
        event = self.event
        told = {"organization": event.organization, "version": event.version, **data}
        self._tell(type_, event.key, event.version, discriminator, told, release.organization_id, release_id=release.id)

    def tell_of_group(self, type_: str, discriminator: str, group: Group, project: str, data: dict[str, Any]) -> None:
        """Keep an activity about a group."""
        told = {"organization": self.event.organization, "project": project, "shortId": group.short_id, **data}
        key = f"{self.event.organization}:{group.short_id}"
        self._tell(type_, key, group.short_id, discriminator, told, group.organization_id, group_id=group.id)

    def _tell(
        self,
        type_: str,
        key: str,
        subject: str,
        discriminator: str,
        data: dict[str, Any],
        organization_id: int,
        **about: int,
    ) -> None:
        event = self.event
        event_id = uuid5(NAMESPACE_URL, f"{type_}\n{key}\n{discriminator}\n{event.source}\n{event.id}")
        document = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": "/row-by-row",
            "type": type_,
            "subject": subject,
            "time": format_timestamp(self.now),
            "datacontenttype": "application/json",
            "causeid": event.id,
            "causesource": event.source,
            "data": data,
        }
        self.session.add(
            Activity(
                id=new_id(),
                event_id=event_id,
                type=type_,
                organization_id=organization_id,
                key=key,
                cloudevent=document,
                offset_id=0,
                offset=self._offset,
                date_added=self.now,
                **about,
            )
        )


def actor_data(actor: Actor | None) -> dict[str, Any] | None:
    """A person as activities name one."""
    return asdict(actor) if actor else None
