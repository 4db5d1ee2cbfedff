"""Orphans: partitions that the group has read and that nobody reads any more.

A topic got another name in the settings, or fewer partitions when it was created anew, or the cluster is another one.
What waits there would wait for ever, and later events of its version keys behind it. An operator names an heir: the
owner of a partition that is read sees to it then, as it does for a topic that was created anew (DESIGN section 1).
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from consumer.announce.group_offsets import GroupOffsets
from consumer.announce.progress import parse_progress
from consumer.errors import UsageError
from consumer.intake.kafka import Cluster
from consumer.store.reading.documents import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import Connection, Engine

    from consumer.settings import Settings

_TIMEOUT_SECONDS = 10.0

ADOPT = "`release-consumer parked adopt`"

Place = tuple[str, str, int]
"""Cluster id, topic and number of a partition."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """A partition that nobody reads, and what waits in it.

    Args:
        id: its row in ``consumer_offset``.
        topic: as it was named.
        partition: its number.
        parked: events that wait, dead letters that are tried again among them.
        letters: how many of those are dead letters.
        announced: number of the last announcement that Kafka tells of; 0 where it does not tell.
        unannounced: announcements that were not made, as far as Kafka tells.
    """

    id: int
    topic: str
    partition: int
    parked: int
    letters: int
    announced: int
    unannounced: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an heir was named for: name of the orphan, name of the heir, and what it sees to."""

    orphan: str
    heir: str
    parked: int
    announcements: int


def find_read(settings: Settings, bootstrap_servers: str) -> set[Place]:
    """The partitions that are read: those of the input topics, and those that workers with other settings have now.

    Raises:
        UsageError: an input topic does not exist.
        KafkaException: Kafka does not answer.
    """
    ids = Cluster(settings, bootstrap_servers).partitions(settings.topics.inputs).values()
    (cluster_id,) = {id_.cluster_id for id_ in ids}
    return {(id_.cluster_id, id_.topic, id_.partition) for id_ in ids} | {
        (cluster_id, topic, number) for topic, number in _assigned(settings, bootstrap_servers)
    }


def _assigned(settings: Settings, bootstrap_servers: str) -> Iterable[tuple[str, int]]:
    """Topic and number of the partitions that members of the group have."""
    admin = AdminClient(settings.kafka_client(bootstrap_servers))
    (future,) = admin.describe_consumer_groups([settings.group_id], request_timeout=_TIMEOUT_SECONDS).values()
    try:
        members = future.result().members
    except KafkaException as error:
        if error.args[0].name() == "GROUP_ID_NOT_FOUND":
            return ()
        raise
    return [(p.topic, p.partition) for member in members for p in member.assignment.topic_partitions]


def is_orphan(id_: int, places: dict[int, tuple[Place, int | None]], read: Collection[Place]) -> bool:
    """Whether nobody sees to a partition: it is not read itself, and neither is its heir.

    Args:
        id_: its row in ``consumer_offset``.
        places: where each row is, and the id of its heir.
        read: the partitions that are read. A topic that was created anew under its name is read.
    """
    place, heir = places[id_]
    return place not in read and (heir is None or heir not in places or places[heir][0] not in read)


def find_orphans(
    connection: Connection, settings: Settings, read: Collection[Place], offsets: GroupOffsets | None = None
) -> list[Orphan]:
    """The orphans of the group, those in which nothing waits too.

    Args:
        connection: any.
        settings: names the group.
        read: the partitions that are read.
        offsets: tells what is announced; without it all that is queued counts as unannounced.
    """
    found = rows(connection, "read_left_behind", group=settings.group_id)
    places = {row.id: ((row.cluster_id, row.topic, row.partition), row.heir_id) for row in found}
    orphans = [row for row in found if is_orphan(row.id, places, read)]
    clusters = {cluster_id for cluster_id, _, _ in read}
    streams = {(row.topic, row.partition): UUID(str(row.stream)) for row in orphans if row.cluster_id in clusters}
    announced = _announced(offsets, streams) if offsets and streams else {}
    return [
        Orphan(row.id, row.topic, row.partition, row.parked, row.letters, seq, min(row.queued, row.next_seq - 1 - seq))
        for row in orphans
        for seq in [announced.get(UUID(str(row.stream)), 0)]
    ]


def _announced(offsets: GroupOffsets, streams: dict[tuple[str, int], UUID]) -> dict[UUID, int]:
    """Number of the last announcement of each stream that Kafka still tells of; it forgets a topic that is deleted."""
    found = offsets.stable(list(streams))
    told = {streams[place]: parse_progress(committed.metadata, streams[place]) for place, committed in found.items()}
    return {stream: seq for stream, seq in told.items() if seq is not None}


def adopt(engine: Engine, settings: Settings, bootstrap_servers: str) -> list[Adopted]:
    """Name an heir for every orphan of the group: a partition of its topic, else of the first input topic.

    Running workers notice within a second. What was not announced, as far as Kafka tells, is announced with the ids
    it had, marked as replayed.

    Args:
        engine: PostgreSQL.
        settings: group and topics.
        bootstrap_servers: Kafka.

    Raises:
        UsageError: an input topic does not exist, or no worker has read the partitions that are there.
        KafkaException: Kafka does not answer.
    """
    read = find_read(settings, bootstrap_servers)
    with closing(GroupOffsets(settings, bootstrap_servers)) as offsets, engine.begin() as connection:
        orphans = find_orphans(connection, settings, read, offsets)
        if not orphans:
            return []
        heir_of = _heirs(connection, settings, read)
        chosen = {orphan.id: heir_of(orphan) for orphan in orphans}
        ids = sorted({*chosen, *(heir for heir, _ in chosen.values())})
        rows(connection, "lock_streams", streams=ids)
        adopted = []
        for orphan in orphans:
            heir, name = chosen[orphan.id]
            (moved,) = rows(connection, "adopt_left_behind", id=orphan.id, heir=heir, announced=orphan.announced)
            adopted.append(Adopted(str(orphan), name, orphan.parked, moved.announcements))
    return adopted


def _heirs(connection: Connection, settings: Settings, read: Collection[Place]) -> Callable[[Orphan], tuple[int, str]]:
    """What finds the heir of an orphan: id of its row, and its name."""
    inputs = settings.topics.inputs
    found: dict[str, dict[int, int]] = {topic: {} for topic in inputs}
    for row in rows(connection, "read_left_behind", group=settings.group_id):
        if row.topic in found and (row.cluster_id, row.topic, row.partition) in read:
            found[row.topic][row.partition] = row.id  # the last has the highest id: the topic as it is now
    topics = [topic for topic in inputs if found[topic]]
    if not topics:
        message = f"no worker has read {' or '.join(inputs)} yet; start one: `release-consumer run`"
        raise UsageError(message)

    def heir_of(orphan: Orphan) -> tuple[int, str]:
        topic = orphan.topic if orphan.topic in topics else topics[0]
        numbers = sorted(found[topic])
        number = numbers[orphan.partition % len(numbers)]
        return found[topic][number], f"{topic}-{number}"

    return heir_of
