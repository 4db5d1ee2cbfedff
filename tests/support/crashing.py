"""Runs that are disturbed: histories whose outcome does not depend on batches, and what is seen after a run."""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import orjson
from confluent_kafka import KafkaException
from sqlalchemy import select

from consumer.announce.progress import parse_progress
from consumer.codes import DeadLetterStatus
from consumer.contracts import decode
from consumer.contracts.events import ReleaseEvent
from consumer.errors import InvalidEvent
from consumer.intake.kafka import end_of_partition
from consumer.store import tables
from consumer.store.processed_events import event_digest
from consumer.store.working_set import FALLBACK_REPOSITORY
from tests.model.strategies import as_cloudevent, history
from tests.model.views import rfc3339
from tests.support.checker import Announced, Input, Observed, Position, broken_promises
from tests.support.database_state import read_state
from tests.support.differences import differences
from tests.support.product import Product, own_database, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from confluent_kafka import Message

    from consumer.contracts.cloudevents import Headers
    from consumer.services import Services
    from tests.support.product import Worker

Json = dict[str, Any]

SEED = int(os.environ.get("FAULT_SEED", "20261123"))
"""Seed of every choice the fault tests make; a failing test names it."""

SOAK = int(os.environ.get("FAULT_SOAK", "1"))
"""How many times as long the fault tests run: 1 is the quick form."""

ORGANIZATIONS = 9
EVENTS_EACH = 22
_MOST_COMPLAINTS = 15
_STAY_DEAD = (DeadLetterStatus.DEAD, DeadLetterStatus.DISCARDED)
_FATES = ("next_offset", "next_seq", "applied", "duplicate", "parked", "dead", "absent")

# Small batches, small announcements and short pauses: much happens in a short run. The locks of a worker that was
# killed must not outlive it: an event that waits for one lets others go first, which changes what is announced.
_QUICK: Json = {
    "batch_size": 20,
    "announce_batch_size": 40,
    "retry_base_seconds": 0.1,
    "retry_max_seconds": 1,
    "lock_seconds": 0.5,
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record of a history. All of one ``home`` go to one partition, in their order."""

    catalog: bool
    home: int
    key: bytes
    value: bytes | None


def independent_history(seed: int, organizations: int = ORGANIZATIONS, first: int = 0) -> list[Outgoing]:
    """Make a history whose outcome is the same however it is cut into batches and spread over workers.

    Each organization keeps to one partition, with its catalog events before its release events; every third
    has catalog events only, on the topic for them. Some events are sent twice, some are invalid.

    Args:
        seed: of all choices.
        organizations: how many.
        first: number of the first; histories of other numbers have nothing to do with each other.
    """
    random = Random(seed)
    threads = [_organization(random, seed, number) for number in range(first, first + organizations)]
    # One organization after the other would keep one partition busy at a time.
    woven = []
    while threads:
        thread = random.choice(threads)
        woven.append(thread.pop(0))
        threads = [thread for thread in threads if thread]
    return woven


def _organization(random: Random, seed: int, number: int) -> list[Outgoing]:
    slug = f"organization-number-{number}"
    events = [
        replace(event, organization=slug, id=f"{slug}-{event.id}")
        for event in history(1000 * seed + number, EVENTS_EACH)
    ]
    only_catalog = number % 3 == 2
    events.sort(key=lambda event: isinstance(event, ReleaseEvent))
    outgoing = []
    for event in events:
        if only_catalog and isinstance(event, ReleaseEvent):
            continue
        document = as_cloudevent(event, random)
        outgoing.append(Outgoing(only_catalog, number, event.key.encode(), orjson.dumps(document)))
        if random.random() < 0.06:
            outgoing.append(Outgoing(only_catalog, number, event.key.encode(), _spoilt(random, document)))
    return outgoing


def _spoilt(random: Random, document: Json) -> bytes | None:
    return random.choice(
        [
            None,
            b"{",
            b"\xff\xfe",
            orjson.dumps(document | {"type": "never-heard-of"}),
            orjson.dumps(document | {"data": {}}),
            orjson.dumps(document).replace(b"organization-number", rb"\u0000"),
        ]
    )


def publish(product: Product, records: Sequence[Outgoing]) -> None:
    """Send records to their partitions; on return Kafka has all of them."""
    for record in records:
        topic, partition = destination(product, record)
        product.send(topic, record.value, record.key, partition=partition)
    product.flush()


def destination(product: Product, record: Outgoing) -> tuple[str, int]:
    """Topic and partition that a record of a history goes to."""
    topics = product.settings.topics
    topic = topics.catalog_events if record.catalog else topics.release_events
    return topic, record.home % product.settings.topic_partitions


@contextmanager
def installation(services: Services, folder: Path, **settings: Any) -> Iterator[Product]:
    """An installation with topics, group and database of its own, set up for quick runs."""
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, folder, **{"topic_partitions": 3, **_QUICK, **settings})) as product,
    ):
        product.set_up()
        yield product


# --- what is seen meanwhile ------------------------------------------------------------------------------------------


def applied(product: Product) -> int:
    """How many offsets are applied."""
    return int(product.rows("SELECT coalesce(sum(next_offset), 0) AS passed FROM consumer_offset")[0].passed)


def parked(product: Product) -> int:
    """How many events wait."""
    return int(product.rows("SELECT count(*) AS waiting FROM parked_event")[0].waiting)


def owners(product: Product) -> set[int]:
    """Processes that own a partition in PostgreSQL; a worker without a stable name signs with its number."""
    rows = product.rows("SELECT DISTINCT owner FROM consumer_offset")
    return {int(row.owner.rpartition("-")[2]) for row in rows}


def wait_until_announced(product: Product, worker: Worker, ends: dict[tuple[str, int], int], seconds: float) -> None:
    """Wait until Kafka says that partitions are applied and announced up to their ends, however often it fails."""

    def is_announced() -> bool:
        assert worker.is_running, worker.words
        with suppress(KafkaException):
            committed = product.committed()
            return all(committed.get(partition, (0, ""))[0] >= end for partition, end in ends.items())
        return False

    try:
        wait_until(is_announced, f"{ends} announced", seconds)
    except AssertionError as error:
        error.add_note(worker.words)
        raise


# --- what is seen afterwards ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has led to.

    Args:
        seen: what the checker judges.
        picture: what must be the same after every run of a history: no ids of rows, no times of the clock.
    """

    seen: Observed
    picture: Json

    def must_be_like(self, other: Outcome, words: str) -> None:
        """Fail with every broken promise and every difference; ``words`` tell how to repeat the run."""
        found = [*broken_promises(self.seen), *differences(other.picture, self.picture)]
        assert not found, "\n".join([words, *found[:_MOST_COMPLAINTS], f"{len(found)} complaints"])


def look(product: Product, started: datetime) -> Outcome:
    """Look at an installation that has caught up.

    Args:
        product: the installation.
        started: a moment before the first event was applied.
    """
    return _Look(product, started).outcome()


def observe(product: Product) -> Observed:
    """What the checker judges, without the picture: for installations that hold much."""
    return _Look(product, now()).observed()


def positions(product: Product) -> dict[tuple[str, int], Position]:
    """Where the group stands in each partition that it has ever read.

    Raises:
        KafkaException: Kafka does not answer.
        SQLAlchemyError: PostgreSQL does not answer.
    """
    with product.engine.connect() as connection:
        rows = connection.execute(select(tables.consumer_offset)).mappings().all()
    committed = product.committed()
    found = {}
    for row in rows:
        partition = row["topic"], row["partition"]
        offset, metadata = committed.get(partition, (None, ""))
        found[partition] = Position(
            stream=str(row["stream"]),
            first_offset=row["first_offset"],
            **{name: row[name] for name in _FATES},
            committed_offset=offset,
            announced_seq=parse_progress(metadata, row["stream"]),
        )
    return found


class _Look:
    def __init__(self, product: Product, started: datetime) -> None:
        self._product = product
        self._started = started
        topics = product.settings.topics
        self._words = {topics.release_events: "releases", topics.catalog_events: "catalog"}
        self._activity = [_document(message) for message in product.read(topics.activity)]
        self._dead_letters = [_document(message) for message in product.read(topics.dead_letters)]
        with product.engine.connect() as connection:
            self._rows: dict[str, list[Json]] = {
                table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for table in tables.metadata.sorted_tables
            }
        self._streams = {row["id"]: row for row in self._rows["consumer_offset"]}

    def outcome(self) -> Outcome:
        return Outcome(self.observed(), self._picture())

    def observed(self) -> Observed:
        rows = self._rows
        return Observed(
            inputs=list(self._inputs()),
            positions=positions(self._product),
            processed={row["digest"].hex for row in rows["processed_event"]},
            parked=[_place(row) for row in rows["parked_event"]],
            dead=[_place(row) for row in rows["dead_letter"] if row["status"] in _STAY_DEAD],
            revived=[_place(row) for row in rows["dead_letter"] if row["status"] not in _STAY_DEAD],
            activities=[(str(row["event_id"]), row["cloudevent"]["stream"]) for row in rows["activity"]],
            outbox=self._outbox(),
            announced=[
                Announced(
                    place, key, event["id"], event["stream"], int(event["sequence"]), event.get("replayed") is True
                )
                for place, key, event in self._activity
            ],
            announced_dead=[_place(event["data"]) for _, _, event in self._dead_letters],
        )

    def _inputs(self) -> Iterator[Input]:
        limit = self._product.settings.max_event_bytes
        for topic in self._words:
            for message in self._product.read(topic):
                (name, number), offset = end_of_partition(message)
                headers: Any = message.headers()
                yield Input((name, number, offset), digest_of(message.value(), headers, limit))

    def _outbox(self) -> dict[str, list[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row in self._rows["outbox"]:
            found[str(self._streams[row["offset_id"]]["stream"])].append(row["seq"])
        return {stream: sorted(numbers) for stream, numbers in found.items()}

    def _picture(self) -> Json:
        with self._product.engine.connect() as connection:
            state = read_state(connection, self._started)
        return {
            "organizations": state["organizations"],
            "rows": {name: len(rows) for name, rows in self._rows.items() if name != tables.outbox.name},
            "partitions": {
                f"{self._words[row['topic']]}-{row['partition']}": {name: row[name] for name in _FATES}
                for row in self._streams.values()
            },
            "activities": self._activities_by_key(),
            "dead letters": {
                f"{self._words[row['topic']]}-{row['partition']}@{row['offset']}": [row["reason"], row["errors"]]
                for row in self._rows["dead_letter"]
            },
        }

    def _activities_by_key(self) -> dict[str, list[Json]]:
        """The activities of each record key in the order of the topic."""
        # The fallback repository is named after the id of its organization.
        fallbacks = {FALLBACK_REPOSITORY.format(id=row["id"]): row["slug"] for row in self._rows["organization"]}
        found: defaultdict[str, list[Json]] = defaultdict(list)
        for _, key, event in sorted(self._activity, key=lambda activity: activity[0]):
            data = orjson.dumps(event["data"]).decode()
            plain = data
            for name, slug in fallbacks.items():
                plain = plain.replace(name, f"fallback of {slug}")
            shown = {name: event[name] for name in ("id", "type", "subject", "causeid")}
            shown["data"] = {name: self._untimed(value) for name, value in orjson.loads(plain).items()}
            if plain != data:
                # What an activity is about is part of its id.
                del shown["id"]
            found[key].append(shown)
        return dict(found)

    def _untimed(self, value: Any) -> Any:
        """The value, unless it is a time of the run: what an event does not say happened when it was applied."""
        is_time = isinstance(value, str) and rfc3339(self._started) <= value < "3"
        return "then" if is_time else value


def digest_of(value: bytes | None, headers: Headers | None, limit: int) -> str | None:
    """What the event of a record is remembered by; ``None`` where it is no valid one."""
    try:
        return event_digest(decode(value, headers, max_bytes=limit))
    except InvalidEvent:
        return None


def _document(message: Message) -> tuple[tuple[str, int, int], str, Json]:
    (topic, number), offset = end_of_partition(message)
    key = message.key()
    return (topic, number, offset), bytes(key or b"").decode("utf-8", "replace"), orjson.loads(message.value() or b"")


def _place(row: Json) -> tuple[str, int, int]:
    return row["topic"], row["partition"], row["offset"]


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)
