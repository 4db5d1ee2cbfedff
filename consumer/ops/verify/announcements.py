"""What subscribers have seen, against what is kept: the activity and dead letter topics (SEMANTICS section 7).

The topics are read into temporary tables, so that PostgreSQL compares and memory stays small. What is in the topics
before they are read was committed in PostgreSQL before; so a snapshot taken afterwards holds the cause of all of it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from consumer.ops.verify.checks import Check
from consumer.ops.verify.topics import TopicReader
from consumer.store.activities import source_of
from consumer.store.copying import copy_rows
from consumer.store.database import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.contracts.records import Record
    from consumer.intake.kafka import Cluster
    from consumer.ops.verify.positions import Positions
    from consumer.ops.verify.report import Fault, Report
    from consumer.settings import Settings
    from consumer.store.database import Cursor

_COLUMNS = 'dead_letter, partition, "offset", id, stream, sequence, replayed, digest, document, dead_letter_id'
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_MARGIN = timedelta(minutes=1)
"""Clocks of workers and brokers differ; only where retention has removed records does it matter."""

_SUBSCRIBERS = (
    "subscribers must drop repeats by id, or by stream and sequence; nothing takes a record back that was announced"
)
_AGAIN = "announce it: `release-consumer replay TOPIC --from-offset P:N --reannounce`, for the offsets of these rows"
_REMOVED = "rows were removed by hand, or the database was restored from a backup: restore them"

CHECKS = (
    Check("announced-repeats", "activity topic", "an id is announced once", _SUBSCRIBERS),
    Check("announced-numbers", "activity topic", "a number of a stream is announced with one id", _SUBSCRIBERS),
    Check("announced-order", "activity topic", "the numbers of a stream ascend within a partition", _SUBSCRIBERS),
    Check("announced-unknown", "activity topic", "what was announced is kept", _REMOVED),
    Check(
        "announced-content",
        "activity",
        "what was announced is what is kept",
        "the row was changed by hand: restore it from the record",
    ),
    Check("announced-missing", "activity", "what is kept, and numbered up to what Kafka tells, was announced", _AGAIN),
    Check("announced-gaps", "consumer_offset", "the numbers of a stream have no gaps", _REMOVED),
    Check(
        "dead-letters-announced",
        "dead_letter",
        "every open dead letter was announced",
        "show it to those who wait for it: `release-consumer dead-letters show ID`",
    ),
    Check("dead-letters-unknown", "dead letter topic", "a dead letter that was announced is kept", _REMOVED),
)


class Announcements:
    """The records of the activity and dead letter topics, in temporary tables of a connection.

    Args:
        settings: topics, group and retention.
        bootstrap_servers: Kafka.
        cluster: what the topics are.
        cursor: of the connection that keeps the tables.
    """

    def __init__(self, settings: Settings, bootstrap_servers: str, cluster: Cluster, cursor: Cursor) -> None:
        topics = settings.topics
        found = cluster.topics([topics.activity, topics.dead_letters])
        self._readers = {
            is_letter: TopicReader(settings, bootstrap_servers, name, found[name].partitions)
            for is_letter, name in ((False, topics.activity), (True, topics.dead_letters))
        }
        self._settings = settings
        self._source = source_of(settings.group_id)
        self._cursor = cursor
        self._others = {False: 0, True: 0}
        self._since = {False: _BEGINNING, True: _BEGINNING}
        self._began = datetime.now(UTC)

    def load(self, positions: Positions) -> None:
        """Read the topics; what is compared is what ``positions`` had announced before."""
        cursor = self._cursor
        cursor.execute(sql("verify_make_announced"))
        # Letters by anything that was applied since may be on their way.
        cursor.execute("SELECT now()")
        ((self._began,),) = cursor.fetchall()
        cursor.execute("SELECT stream::text FROM consumer_offset")
        known = {UUID(stream) for (stream,) in cursor.fetchall()}
        copy_rows(
            cursor,
            "progress",
            "offset_id, stream, seq, floor",
            [
                (*positions.streams[place][:1], str(positions.streams[place][1]), seq, 0)
                for place, seq in positions.announced.items()
            ],
        )
        for is_letter, reader in self._readers.items():
            for records in reader.chunks():
                copy_rows(cursor, "announced", _COLUMNS, list(self._rows(records, known, is_letter=is_letter)))
            self._since[is_letter] = _since(list(reader.first_kept.values()))
        if self.since > _BEGINNING:
            cursor.execute(sql("verify_floor"), {"since": self.since})
        cursor.execute("ANALYZE announced")
        cursor.connection.commit()

    @property
    def since(self) -> datetime:
        """From when on the topics still tell all that was announced."""
        return max(self._since.values())

    def judge(self, report: Report) -> Iterator[tuple[Check, Fault | None]]:
        """Compare with the tables; the connection is in its snapshot."""
        kept_since = datetime.now(UTC) - timedelta(days=self._settings.dead_letter_retention_days)
        for check in CHECKS:
            is_letter = check.name.startswith("dead-letters")
            parameters = {"since": self._since[is_letter], "until": self._began, "kept_since": kept_since}
            yield check, check.run(self._cursor, parameters)
        for is_letter, name in ((False, "activity"), (True, "dead letter")):
            if self._others[is_letter]:
                others = self._others[is_letter]
                records = "1 record" if others == 1 else f"{others} records"
                report.notes.append(f"not this group's in the {name} topic: {records}")
            if self._since[is_letter] > _BEGINNING:
                report.notes.append(
                    f"retention has removed records of the {name} topic: whether all was announced is judged since"
                    f" {self._since[is_letter]:%Y-%m-%d %H:%M:%S} UTC"
                )

    def _rows(self, records: list[Record], known: set[UUID], *, is_letter: bool) -> Iterator[tuple[Any, ...]]:
        for record in records:
            try:
                event = orjson.loads(record.value or b"")
                stream, sequence = UUID(event["stream"]), int(event["sequence"])
                is_ours = stream in known if is_letter else event["source"] == self._source
                letter_id = int(event["data"]["id"]) if is_letter else None
                id_, replayed = str(event["id"]), event.get("replayed") is True
            except (KeyError, TypeError, ValueError, AttributeError):
                is_ours = False
            if not is_ours:
                self._others[is_letter] += 1
                continue
            value = record.value or b""
            document = value.decode() if is_letter or replayed else None
            place = (int(is_letter), record.partition, record.offset)
            yield (*place, id_, str(stream), sequence, int(replayed), sha256(value).digest(), document, letter_id)


def _since(first_kept: list[datetime | None]) -> datetime:
    """From when on everything announced is still there: partitions lose their oldest records one by one."""
    if not first_kept:
        return _BEGINNING
    return max(time or datetime.now(UTC) for time in first_kept) + _MARGIN
