"""Activities: facts as they are kept, each with the CloudEvent that announces it (SEMANTICS section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from consumer.store.copying import copy_rows
from consumer.store.timestamps import rfc3339

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.store.database import Cursor
    from consumer.store.working_set import Fact

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Activity:
    """A fact with its place: the id of its row, and stream and number that it is announced under."""

    id: int
    fact: Fact
    stream: str
    seq: int


def save_activities(cursor: Cursor, activities: Sequence[Activity], source: str) -> None:
    """Keep activities.

    Args:
        cursor: inside the batch's transaction.
        activities: what happened, in order.
        source: CloudEvents source of what this consumer says.
    """
    copy_rows(
        cursor,
        "activity",
        "id, event_id, type, organization_id, release_id, group_id, key, cloudevent, date_added",
        [
            (
                activity.id,
                str(activity.fact.id),
                activity.fact.type,
                activity.fact.organization_id,
                activity.fact.release_id,
                activity.fact.group_id,
                activity.fact.key,
                _cloudevent(activity, source),
                activity.fact.date,
            )
            for activity in activities
        ],
    )


def _cloudevent(activity: Activity, source: str) -> str:
    """The event as it goes out: ``stream`` and ``sequence`` let a subscriber see order, gaps and repeats."""
    fact = activity.fact
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": str(fact.id),
            "source": source,
            "type": fact.type,
            "subject": fact.subject,
            "time": rfc3339(fact.date),
            "datacontenttype": "application/json",
            "causeid": fact.cause_id,
            "causesource": fact.cause_source,
            "stream": activity.stream,
            "sequence": str(activity.seq),
            "data": fact.data,
        }
    ).decode()
