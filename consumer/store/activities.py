"""Activities: facts as they are kept, each with the CloudEvent that announces it (SEMANTICS section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from consumer.store.copying import copy_rows
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumer.store.working_set import Fact

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"


@dataclass(slots=True)
class Activity:
    """A fact with its place.

    Args:
        id: of its row.
        fact: what happened.
        cloudevent: what announces it.
        origin_id: the stream of the event that caused it.
        offset: offset of that event.
    """

    id: int
    fact: Fact
    cloudevent: bytes
    origin_id: int
    offset: int


def source_of(group_id: str) -> str:
    """CloudEvents source of what the consumer of this group says."""
    return f"/release-consumer/{group_id}"


def find_stored(cursor: Cursor, records: Collection[tuple[int, int]]) -> set[str]:
    """Ids of the activities that events (stream id, offset) have caused before."""
    if not records:
        return set()
    streams, offsets = zip(*records, strict=True)
    cursor.execute(
        sql("find_stored_activities"),
        {"streams": list(streams), "offsets": list(offsets), "first": min(offsets), "last": max(offsets)},
    )
    return {id_ for (id_,) in cursor.fetchall()}


def save_activities(cursor: Cursor, activities: Sequence[Activity]) -> None:
    """Keep activities.

    Args:
        cursor: inside the batch's transaction.
        activities: what happened, in order.
    """
    copy_rows(
        cursor,
        "activity",
        'id, event_id, type, organization_id, release_id, group_id, key, cloudevent, offset_id, "offset", date_added',
        [
            (
                activity.id,
                activity.fact.id,
                activity.fact.type,
                activity.fact.organization_id,
                activity.fact.release_id,
                activity.fact.group_id,
                activity.fact.key,
                activity.cloudevent.decode(),
                activity.origin_id,
                activity.offset,
                activity.fact.date,
            )
            for activity in activities
        ],
    )


def cloudevent_of(fact: Fact, *, source: str, stream: str, seq: int) -> bytes:
    """The event as it goes out: ``stream`` and ``sequence`` let a subscriber see order, gaps and repeats.

    Args:
        fact: what happened.
        source: CloudEvents source of what this consumer says.
        stream: name of the stream that it is announced under.
        seq: its number there.
    """
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": fact.id,
            "source": source,
            "type": fact.type,
            "subject": fact.subject,
            "time": fact.date,
            "datacontenttype": "application/json",
            "causeid": fact.cause_id,
            "causesource": fact.cause_source,
            "stream": stream,
            "sequence": str(seq),
            "data": fact.data,
        },
        option=orjson.OPT_UTC_Z,
    )
