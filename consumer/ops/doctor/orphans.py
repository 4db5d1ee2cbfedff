"""Orphans: what waits where nobody reads, and what waits for other groups of the same database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.ops.doctor.report import Area
from consumer.ops.orphans import ADOPT, find_orphans, find_read
from consumer.store.reading.documents import rows

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.ops.doctor.report import Line
    from consumer.settings import Settings


def examine_orphans(settings: Settings, bootstrap_servers: str, engine: Engine, offsets: GroupOffsets) -> list[Line]:
    """What is to be said of partitions that nobody reads; nothing where nothing waits in them.

    Args:
        settings: group and topics.
        bootstrap_servers: Kafka.
        engine: PostgreSQL, with the tables.
        offsets: what Kafka has committed for the group.
    """
    area = Area("progress")
    read = find_read(settings, bootstrap_servers)
    with engine.connect() as connection:
        orphans = find_orphans(connection, settings, read, offsets)
        others = rows(connection, "doctor_other_groups", group=settings.group_id)
    for orphan in orphans:
        if orphan.parked or orphan.unannounced:
            area.fail(
                str(orphan),
                f"nobody reads it any more, and in it wait: parked events {orphan.parked} (dead letters that are tried"
                f" again: {orphan.letters}), announcements {orphan.unannounced}; later events of their keys wait, too",
                f"{ADOPT} lets workers of other partitions see to it; to give the events up:"
                f" `release-consumer parked discard --topic {orphan.topic} --partition {orphan.partition}`",
            )
    for group, parked in others:
        area.warn(
            f"group {group}",
            f"parked events of this other group of the same database: {parked}; later events of their keys wait, too",
            "run a worker of that group: `RELEASE_CONSUMER_GROUP_ID=... release-consumer run --until-caught-up`, or"
            " give the events up: `release-consumer parked discard`",
        )
    return area.lines
