"""Nothing waits where nobody reads: it would wait for ever, and what follows it, too (DESIGN section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.ops.orphans import ADOPT, is_orphan
from consumer.ops.verify.checks import Check

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from consumer.ops.orphans import Place
    from consumer.ops.verify.report import Fault, Row
    from consumer.store.database import Cursor

ORPHANS = Check(
    "orphans",
    "consumer_offset",
    "events that wait, and announcements to make, are of partitions that are read",
    f"{ADOPT} lets workers of other partitions see to them; `release-consumer parked discard --topic T --partition P`"
    " gives the events up",
)


def check_orphans(cursor: Cursor, streams: Sequence[Row], read: Collection[Place], since: datetime) -> Fault | None:
    """Judge the partitions that nobody reads.

    Args:
        cursor: in the snapshot, with what was announced.
        streams: the rows of ``consumer_offset`` of the group.
        read: the partitions that are read.
        since: from when on the topics tell all that was announced.
    """
    places = {row["id"]: ((row["cluster_id"], row["topic"], row["partition"]), row["heir_id"]) for row in streams}
    orphans = [id_ for id_ in places if is_orphan(id_, places, read)]
    return ORPHANS.run(cursor, {"orphans": orphans, "since": since})
