"""Progress: whether workers are there, how far they are behind, what waits and what is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.contracts.timestamps import format_timestamp
from consumer.ops.doctor.report import Area
from consumer.store.database import fetch_one, sql, transaction
from consumer.store.streams import PartitionId, find_positions

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.intake.kafka import Cluster
    from consumer.ops.doctor.report import Line
    from consumer.settings import Settings
    from consumer.store.streams import Stream

_RUN = "start a worker: `release-consumer run`"
_LOOK = "a worker has joined the group: it takes the partition over in a moment, or its log says why it cannot"


def examine_progress(
    settings: Settings, engine: Engine, cluster: Cluster, offsets: GroupOffsets, members: int
) -> list[Line]:
    """What is to be said of the group.

    Args:
        settings: group and topics.
        engine: PostgreSQL, with the tables.
        cluster: where the topics begin and end.
        offsets: what Kafka has committed for the group.
        members: workers in the group now.
    """
    area = Area("progress")
    ids = cluster.partitions(settings.topics.inputs)
    places = sorted(ids)
    earliest = cluster.earliest(places)
    with transaction(engine) as cursor:
        streams = find_positions(cursor, settings.group_id)
        cursor.execute(sql("doctor_waiting"))
        parked, oldest, dead = fetch_one(cursor)
    committed = offsets.stable(places)
    latest = cluster.latest(places)
    behind = 0
    for place in places:
        stream = streams.get(ids[place])
        announced = committed[place].offset if place in committed else None
        behind += _examine_partition(area, ids[place], stream, earliest[place], latest[place], announced, members)
    area.judge("workers", f"{members} in group {settings.group_id}", warn=_RUN if behind and not members else "")
    area.judge(
        "parked events",
        f"{parked}, the oldest since {format_timestamp(oldest)}" if parked else "0",
        warn="see why they wait: `release-consumer parked list`" if parked else "",
    )
    area.judge(
        "dead letters",
        f"{dead} open",
        warn="see what is wrong with them: `release-consumer dead-letters list`" if dead else "",
    )
    return area.lines


def _examine_partition(  # what is known of a partition
    area: Area,
    id_: PartitionId,
    stream: Stream | None,
    earliest: int,
    latest: int,
    announced: int | None,
    members: int,
) -> int:
    """Judge one partition; returns how far it is behind."""
    subject = f"{id_.topic}-{id_.partition}"
    if stream is None:
        behind = latest - earliest
        remedy = _LOOK if members else _RUN
        area.judge(subject, f"never read, {behind} behind", warn=remedy if behind else "")
        return behind
    if stream.next_offset < earliest:
        area.fail(
            subject,
            f"the next offset to apply is {stream.next_offset}, Kafka's oldest is {earliest}",
            "retention removed events that were never applied: restore them, or accept the loss by"
            " RELEASE_CONSUMER_MISSING_OFFSETS=skip; then lengthen retention.ms",
        )
    elif stream.next_offset > latest:
        area.fail(
            subject,
            f"the next offset to apply is {stream.next_offset}, Kafka's last is {latest}",
            "the topic lost data: restore it, or move back by `release-consumer replay`",
        )
    else:
        waiting = announced is not None and announced < stream.next_offset
        finding = f"{latest - stream.next_offset} behind{', announcing' if waiting else ''}"
        area.ok(subject, finding)
    return max(0, latest - stream.next_offset)
