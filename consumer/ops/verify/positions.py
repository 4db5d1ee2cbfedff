"""Nothing unannounced: what Kafka has committed for the group, against what PostgreSQL has applied (DESIGN section 2).

Workers may run: they are given a bounded time to announce what was applied when the verification began.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from psycopg2.extras import RealDictCursor

from consumer.announce.progress import parse_progress
from consumer.ops.verify.checks import Check
from consumer.ops.verify.report import Partition
from consumer.store.database import sql
from consumer.store.streams import PartitionId

if TYPE_CHECKING:
    from uuid import UUID

    from confluent_kafka import TopicPartition

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.intake.assignment import Partition as Place
    from consumer.intake.kafka import Cluster
    from consumer.ops.verify.report import Report, Row
    from consumer.settings import Settings
    from consumer.store.database import Cursor

_PAUSE_SECONDS = 0.2

UNANNOUNCED = Check(
    "unannounced",
    "consumer_offset",
    "all that is applied is announced, and Kafka has committed it for the group",
    "start a worker: `release-consumer run --until-caught-up`; if one runs, see what its log says of announcing, or"
    " give it more time by --wait",
)
AHEAD = Check(
    "ahead",
    "consumer_offset",
    "Kafka has committed no more for the group than is applied",
    "the database was restored from a backup: move the group back by `release-consumer replay TOPIC --from-offset P:N`,"
    " N being next_offset; what it announces anew has the ids that it had",
)
PROGRESS = Check(
    "progress",
    "consumer_offset",
    "the metadata of Kafka's committed offset tells what is announced",
    "somebody moved the offsets of the group by Kafka's tools: run a worker, which goes on from the outbox and may"
    " announce again, with the same ids",
)
RETAINED = Check(
    "retained",
    "consumer_offset",
    "Kafka still has the next offset to apply, and has not lost what was applied",
    "lengthen the retention of the topic; restore the topic, or let the workers pass what is missing by"
    " RELEASE_CONSUMER_MISSING_OFFSETS=skip",
)
_CHECKS = (UNANNOUNCED, AHEAD, PROGRESS, RETAINED)


class Positions:
    """The partitions of the group as they stood when the verification began, and how far they are announced since.

    Args:
        settings: group and topics.
        cluster: what the topics are, and where they end.
        offsets: what Kafka has committed for the group.
        cursor: of a connection of its own, in no transaction.
    """

    def __init__(self, settings: Settings, cluster: Cluster, offsets: GroupOffsets, cursor: Cursor) -> None:
        self._group_id = settings.group_id
        self._ids = cluster.partitions(settings.topics.inputs)
        self._cluster = cluster
        self._offsets = offsets
        self._cursor = cursor
        self._rows: dict[Place, Row] = {}
        self._began: dict[Place, Row] = {}
        self.announced: dict[Place, int] = {}
        """Number of the last announcement of each partition whose progress is known."""

    @property
    def streams(self) -> dict[Place, tuple[int, UUID]]:
        """Id and name of the stream of each partition."""
        return {place: (row["id"], row["stream"]) for place, row in self._began.items()}

    def settle(self, wait_seconds: float) -> None:
        """Wait until all that is applied now is announced, so long at most."""
        self._began = self._rows = self._read()
        deadline = time.monotonic() + wait_seconds
        while True:
            self._committed = self._offsets.stable(list(self._began)) if self._began else {}
            self._rows = self._read()
            if all(self._is_settled(place) for place in self._began) or time.monotonic() >= deadline:
                break
            time.sleep(_PAUSE_SECONDS)
        for place in self._began:
            seq = self._seq(place)
            if seq is not None:
                self.announced[place] = seq

    def judge(self, report: Report) -> None:
        """Compare with Kafka; adds partitions and faults."""
        earliest = self._cluster.earliest(list(self._ids))
        latest = self._cluster.latest(list(self._ids))
        found: dict[str, list[Row]] = {check.name: [] for check in _CHECKS}
        for place, row in self._began.items():
            for check, detail in self._faults(place, earliest[place], latest[place]):
                keys = {name: row[name] for name in ("id", "topic", "partition")}
                found[check.name].append({**keys, **detail})
        for check in _CHECKS:
            rows = found[check.name]
            report.add(check.fault(len(rows), rows) if rows else None, check.name)

    def describe(self, rows: list[Row], report: Report) -> None:
        """Add the partitions to the report, as ``consumer_offset`` has them."""
        latest = self._cluster.latest(list(self._ids))
        present = {row["id"]: place for place, row in self._began.items()}
        for row in rows:
            place = present.get(row["id"])
            partition = Partition(row)
            if place is not None:
                committed = self._committed.get(place)
                partition.end = latest[place]
                partition.committed_offset = _offset(committed)
                partition.announced_seq = self.announced.get(place)
            report.partitions.append(partition)
            partition.faults += [
                fault.check
                for fault in report.faults
                if any(key in found and found[key] == row["id"] for found in fault.rows for key in _keys(fault.table))
            ]
        unread = [f"{topic}-{number}" for topic, number in self._ids if (topic, number) not in self._began]
        if unread:
            report.notes.append(f"no worker has read these partitions yet: {', '.join(sorted(unread))}")

    def _read(self) -> dict[Place, Row]:
        """The rows of partitions that are there: a topic of that name deleted since is another one."""
        rows = read_streams(self._cursor, self._group_id)
        self._cursor.connection.rollback()
        found = {}
        for row in rows:
            place = (row["topic"], row["partition"])
            id_ = PartitionId(row["cluster_id"], row["topic_id"], *place)
            if self._ids.get(place) == id_:
                found[place] = row
        return found

    def _seq(self, place: Place) -> int | None:
        """The number up to which a partition is announced; ``None`` if Kafka does not tell."""
        committed = self._committed.get(place)
        if _offset(committed) is None:
            began = self._began[place]
            is_untouched = began["frontier"] == began["first_offset"] and began["next_seq"] == 1
            return 0 if is_untouched else None
        return parse_progress(committed.metadata if committed else None, self._began[place]["stream"])

    def _is_settled(self, place: Place) -> bool:
        """Whether what was applied when it began is announced; an offset may have been moved back since."""
        seq, began, now = self._seq(place), self._began[place], self._rows.get(place)
        if seq is None or seq < began["next_seq"] - 1:
            return False
        offset = _offset(self._committed.get(place))
        return (
            offset is None
            or offset >= began["next_offset"]
            or now is None
            or offset == now["next_offset"]
            or began["next_offset"] > now["next_offset"]
        )

    def _faults(self, place: Place, earliest: int, latest: int) -> list[tuple[Check, Row]]:
        began, now = self._began[place], self._rows.get(place, self._began[place])
        offset, seq = _offset(self._committed.get(place)), self._seq(place)
        kafka = {"committed_offset": offset, "announced_seq": seq}
        applied = {"next_offset": now["next_offset"], "next_seq": now["next_seq"]}
        found: list[tuple[Check, Row]] = []
        if place in self._committed and offset is not None and seq is None:
            found.append((PROGRESS, applied | {"committed_offset": offset}))
        elif not self._is_settled(place):
            found.append((UNANNOUNCED, applied | kafka))
        if (offset or 0) > now["frontier"] or (seq or 0) >= now["next_seq"]:
            found.append((AHEAD, applied | kafka | {"frontier": now["frontier"]}))
        if now["next_offset"] < earliest or began["frontier"] > latest:
            found.append((RETAINED, applied | {"earliest": earliest, "latest": latest, "frontier": began["frontier"]}))
        return found


def read_streams(cursor: Cursor, group_id: str) -> list[Row]:
    """All rows of ``consumer_offset`` of a group, those of topics that are there no longer, too."""
    with cursor.connection.cursor(cursor_factory=RealDictCursor) as rows:
        rows.execute(sql("verify_streams"), {"group": group_id})
        return [dict(row) for row in rows]


def _offset(committed: TopicPartition | None) -> int | None:
    return None if committed is None or committed.offset < 0 else committed.offset


def _keys(table: str) -> tuple[str, ...]:
    """Columns of a fault's rows that name a row of ``consumer_offset``."""
    return ("id",) if table == "consumer_offset" else ("offset_id",)
