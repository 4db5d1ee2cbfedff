"""What a replay would do, event by event; nothing is changed, no group is joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from consumer.codes import DeadLetterStatus
from consumer.contracts import decode, describe
from consumer.errors import InvalidEvent
from consumer.ops.topic_records import read_records
from consumer.store.reading.documents import rows
from consumer.store.reading.records import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Engine

    from consumer.contracts.records import Record
    from consumer.ops.replay import Span
    from consumer.settings import Settings
    from consumer.store.reading.documents import AnyRow, Document


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a replay would do with one event.

    Args:
        record: the event as it lies in Kafka.
        type: as far as it tells.
        event_id: as far as it tells.
        fate: ``passed-over``, ``dead-letter-stays``, ``still-parked``, and of a forced replay ``applied-again``,
            ``dead-letter-tried-again``, ``would-fail``.
        dead_letter_id: of the dead letter that it is.
        errors: what is wrong with it.
        announced: id and type of what is announced again.
    """

    record: Record
    type: str | None
    event_id: str | None
    fate: str
    dead_letter_id: int | None = None
    errors: list[str] = field(default_factory=list)
    announced: list[tuple[str, str]] = field(default_factory=list)

    @property
    def words(self) -> str:
        """The fate, for people."""
        letter = f"dead letter {self.dead_letter_id}"
        words = {
            "passed-over": "passed over: it was applied, or was a duplicate",
            "dead-letter-stays": f"{letter} stays",
            "still-parked": "still parked",
            "applied-again": "applied again",
            "dead-letter-tried-again": f"{letter} is tried again",
            "would-fail": "would fail",
        }[self.fate]
        wrong = f": {'; '.join(self.errors)}" if self.errors else ""
        again = f"; announced again: {', '.join(type_ for _, type_ in self.announced)}" if self.announced else ""
        return words + wrong + again

    def document(self) -> Document:
        """The same as a JSON document."""
        key, encoding = to_text(self.record.key)
        return {
            "topic": self.record.topic,
            "partition": self.record.partition,
            "offset": self.record.offset,
            "type": self.type,
            "key": key,
            "keyEncoding": encoding,
            "event": self.event_id,
            "fate": self.fate,
            "deadLetter": self.dead_letter_id,
            "errors": self.errors,
            "announced": [{"id": id_, "type": type_} for id_, type_ in self.announced],
        }


def foresee(
    engine: Engine, settings: Settings, servers: str, spans: Sequence[Span], *, force: bool, reannounce: bool
) -> Iterator[Foresight]:
    """Tell what a replay would do with each event, partition by partition in the order of the offsets.

    Whether a valid event would fail against the state of the database is not tried out.

    Args:
        engine: PostgreSQL.
        settings: limits, and librdkafka properties.
        servers: Kafka.
        spans: what would be replayed.
        force: whether events are applied again.
        reannounce: whether what they caused is announced again.

    Raises:
        confluent_kafka.KafkaException: Kafka refuses, or no longer has the events.
        ServiceUnavailable: Kafka says nothing for too long.
    """
    for span in spans:
        for records in read_records(settings, servers, {(span.topic, span.partition): (span.start, span.end)}):
            where = {"streams": [span.stream_id] * len(records), "offsets": [record.offset for record in records]}
            with engine.connect() as connection:
                kept = {row.position: row for row in rows(connection, "read_fates", **where)}
                caused = (
                    rows(
                        connection,
                        "read_activities_of",
                        **where,
                        first=records[0].offset,
                        last=records[-1].offset,
                    )
                    if reannounce
                    else ()
                )
            announced = {
                offset: [(str(row.event_id), row.type) for row in group]
                for offset, group in groupby(caused, key=lambda row: row.position)
            }
            for record in records:
                yield _foresee(
                    record,
                    kept.get(record.offset),
                    announced.get(record.offset, []),
                    settings.max_event_bytes,
                    force=force,
                )


def _foresee(
    record: Record, kept: AnyRow | None, announced: list[tuple[str, str]], max_bytes: int, *, force: bool
) -> Foresight:
    about = describe(record.value, record.headers, max_bytes=max_bytes)
    letter = None if kept is None else kept.dead_letter_id
    errors: list[str] = []
    if force:
        try:
            decode(record.value, record.headers, max_bytes=max_bytes)
        except InvalidEvent as error:
            errors = [str(violation) for violation in error.violations]
    return Foresight(record, about.type, about.id, _fate(kept, errors, force=force), letter, errors, announced)


def _fate(kept: AnyRow | None, errors: list[str], *, force: bool) -> str:
    if kept is not None and kept.parked_id is not None:
        return "still-parked"
    is_open = kept is not None and kept.status == DeadLetterStatus.DEAD
    if force and is_open:
        return "dead-letter-stays" if errors else "dead-letter-tried-again"
    if force:
        return "would-fail" if errors else "applied-again"
    if is_open or (kept is not None and kept.status == DeadLetterStatus.DISCARDED):
        return "dead-letter-stays"
    return "passed-over"
