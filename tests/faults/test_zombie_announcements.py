"""An announcer whose partition is taken over at the worst moment: one of two announces, never both, never none."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any, Literal

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from sqlalchemy import text

from consumer.announce.announcer import Announcer
from consumer.announce.group_offsets import GroupOffsets
from consumer.announce.producer import make_producer
from consumer.announce.progress import format_progress
from consumer.intake.kafka import Cluster
from consumer.store import streams
from consumer.store.database import connect, transaction
from tests.support.crashing import installation
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumer import failpoints
    from consumer.services import Services
    from consumer.store.streams import Stream
    from tests.support.product import Product

ACTIVITIES = 3
PATIENCE_SECONDS = 20
A_WHILE_SECONDS = 1
LONGEST_CALL_SECONDS = 2.0


@dataclass
class Side:
    """What one worker has to announce with: no member of the group, so Kafka lets it commit any offset."""

    product: Product
    name: str
    disguise: Callable[[Producer], Any] = lambda producer: producer
    announced: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.product.settings.model_copy(update={"instance_id": self.name})
        self.servers = self.settings.kafka_bootstrap_servers or ""
        self.engine = connect(self.settings.database_url or "", application_name=self.name, pool_size=4)
        self.group = Consumer({"bootstrap.servers": self.servers, "group.id": self.settings.group_id})
        self.announcer = Announcer(
            GroupOffsets(self.settings, self.servers),
            lambda: self.disguise(make_producer(self.settings, self.servers)),
            self.engine,
            self.settings,
            self.announced.__setitem__,
        )
        self.announcer.speak_for(self.group.consumer_group_metadata())
        self.announcer.start()

    def take_over(self, *numbers: int) -> dict[int, Stream]:
        """Claim partitions of the release events, as a worker does."""
        topic = self.settings.topics.release_events
        known = Cluster(self.settings, self.servers).partitions([topic])
        with transaction(self.engine) as cursor:
            claimed = {
                number: streams.claim(cursor, self.settings.group_id, known[topic, number], self.name, 0)
                for number in numbers
            }
        for number, stream in claimed.items():
            self.announcer.take_over(topic, number, stream)
        return claimed

    def close(self) -> None:
        self.announcer.stop()
        self.group.close()
        self.engine.dispose()


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    with installation(services, tmp_path, transaction_timeout_seconds=PATIENCE_SECONDS) as product:
        yield product


@pytest.fixture
def old(product: Product) -> Iterator[Side]:
    with closing(Side(product, "old")) as side:
        yield side


@pytest.fixture
def new(product: Product) -> Iterator[Side]:
    with closing(Side(product, "new")) as side:
        yield side


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[failpoints.Failpoint, Callable[[], object]], None]:
    """Do something once, when an announcer passes a failpoint."""

    def at(point: failpoints.Failpoint, action: Callable[[], object]) -> None:
        actions = [action]

        def reach(name: str) -> None:
            if name == point and actions:
                actions.pop()()

        monkeypatch.setattr("consumer.announce.speaker.failpoints.reach", reach)

    return at


class Sleeper:
    """A producer that falls asleep in one of its calls, before or after Kafka has heard of it, until it is woken."""

    def __init__(self, producer: Producer, call: str, when: Literal["before", "after"]) -> None:
        self._producer = producer
        self._call = call
        self._when = when
        self.sleeps, self.wake, self.is_awake = Event(), Event(), Event()
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._producer, name)
        return self._asleep(real) if name == self._call and not self.sleeps.is_set() else real

    def _asleep(self, real: Callable[..., object]) -> Callable[..., None]:
        def call(*args: object) -> None:
            if self._when == "after":
                real(*args)
            self.sleeps.set()
            self.wake.wait()
            try:
                if self._when == "before":
                    real(*args)
            except Exception as error:
                self.error = error
                raise
            finally:
                self.is_awake.set()

        return call


def apply(product: Product, *partitions: int) -> None:
    """Leave in the database what applied batches leave: activities that wait to be announced."""
    with product.engine.begin() as connection:
        for partition in partitions:
            found = {"partition": partition, "topic": product.settings.topics.release_events}
            query = "SELECT id FROM consumer_offset WHERE topic = :topic AND partition = :partition"
            stream = connection.execute(text(query), found).scalar_one()
            for seq in range(1, ACTIVITIES + 1):
                row = {"id": partition * 100 + seq, "event": str(uuid.uuid4()), "stream": stream, "seq": seq}
                row["event_json"] = f'{{"id": "{partition}/{seq}"}}'
                connection.execute(
                    text(
                        "INSERT INTO activity"
                        ' (id, event_id, type, organization_id, key, cloudevent, offset_id, "offset", date_added)'
                        " VALUES (:id, :event, 'a', 1, 'k', CAST(:event_json AS json), :stream, 0, now())"
                    ),
                    row,
                )
                connection.execute(
                    text("INSERT INTO outbox (offset_id, seq, activity_id) VALUES (:stream, :seq, :id)"), row
                )
            connection.execute(
                text("UPDATE consumer_offset SET next_offset = 1, next_seq = :next WHERE id = :stream"),
                {"stream": stream, "next": ACTIVITIES + 1},
            )


def prepare(side: Side, *partitions: int) -> None:
    """Take partitions over for the first time, and apply something."""
    topic = side.settings.topics.release_events
    known = Cluster(side.settings, side.servers).partitions([topic])
    with transaction(side.engine) as cursor:
        for number in partitions:
            streams.claim(cursor, side.settings.group_id, known[topic, number], side.name, 0)
    apply(side.product, *partitions)


def told(product: Product) -> list[str]:
    return sorted(activity["id"] for activity in product.activities())


def ids(*partitions: int) -> list[str]:
    return sorted(f"{partition}/{seq}" for partition in partitions for seq in range(1, ACTIVITIES + 1))


def test_what_was_taken_over_before_the_check_is_left_to_the_successor_and_the_rest_goes_out(
    product: Product, old: Side, new: Side, at: Callable[..., None]
) -> None:
    prepare(old, 0, 1)
    at("inside-announcement", lambda: new.take_over(0))
    streams_of_old = old.take_over(0, 1)

    wait_until(lambda: old.announced.get(streams_of_old[1].id) == ACTIVITIES, "the old one announces what is its own")
    assert new.announcer.drain(PATIENCE_SECONDS)
    assert old.announcer.drain(PATIENCE_SECONDS)

    assert old.announced.get(streams_of_old[0].id, 0) == 0
    assert told(product) == ids(0, 1)


def test_what_was_taken_over_after_the_check_is_announced_and_the_successor_waits_for_it(
    product: Product, old: Side, new: Side, at: Callable[..., None]
) -> None:
    prepare(old, 0)
    prepare(new, 1)
    new.take_over(1)
    assert new.announcer.drain(PATIENCE_SECONDS), "it is in practice"
    with ThreadPoolExecutor(1) as pool:

        def overtake() -> None:
            new.take_over(0)
            with pytest.raises(NotYet):
                pool.submit(new.announcer.drain, PATIENCE_SECONDS).result(A_WHILE_SECONDS)

        at("before-announcement-commit", overtake)
        (stream,) = old.take_over(0).values()
        assert old.announcer.drain(PATIENCE_SECONDS)
    assert new.announcer.drain(PATIENCE_SECONDS)

    assert new.announced[stream.id] == ACTIVITIES
    assert told(product) == ids(0, 1)


def test_a_number_that_was_never_applied_is_not_believed(product: Product, old: Side) -> None:
    """A database restored from a backup is behind Kafka: its rows must go out, and must not be pruned before."""
    prepare(old, 0)
    topic = product.settings.topics.release_events
    with transaction(old.engine) as cursor:
        (stream,) = streams.find_positions(cursor, old.settings.group_id).values()
    ahead = TopicPartition(topic, 0, 1, metadata=format_progress(stream.name, ACTIVITIES + 5))
    old.group.commit(offsets=[ahead], asynchronous=False)

    old.take_over(0)
    assert old.announcer.drain(PATIENCE_SECONDS)

    assert told(product) == ids(0)
    assert old.announced == {stream.id: ACTIVITIES}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["init_transactions", "send_offsets_to_transaction", "commit_transaction"])
def test_a_producer_that_hangs_is_replaced_and_announces_nothing_when_it_wakes(
    product: Product, call: str, when: Literal["before", "after"]
) -> None:
    producers: list[Any] = []

    def disguise(producer: Producer) -> Any:
        producers.append(producer if producers else Sleeper(producer, call, when))
        return producers[-1]

    with closing(Side(product, "only", disguise)) as side:
        announcer = side.announcer
        announcer._longest_call_seconds = LONGEST_CALL_SECONDS
        prepare(side, 0, 1)
        side.take_over(0, 1)

        def is_settled() -> bool:
            announcer.raise_failure()
            return announcer.drain(0)

        wait_until(is_settled, "a new producer announces")
        (sleeper, *others) = producers
        assert sleeper.sleeps.is_set()
        assert others
        assert told(product) == ids(0, 1)
        sleeper.wake.set()
        assert sleeper.is_awake.wait(PATIENCE_SECONDS)

        assert (call, when) == ("init_transactions", "before") or when == "after" or sleeper.error is not None
        prepare(side, 2)
        side.take_over(2)
        wait_until(is_settled, "it goes on")
        assert told(product) == ids(0, 1, 2)


def test_a_lane_that_a_predecessor_left_undecided_does_not_hold_back_the_others(
    product: Product, old: Side, new: Side, at: Callable[..., None]
) -> None:
    prepare(old, 0)
    prepare(new, 1, 2)

    def overtake() -> None:
        # The transaction of the old one is open for as long as this lasts.
        streams_of_new = new.take_over(0, 1, 2)
        others = [streams_of_new[number].id for number in (1, 2)]
        wait_until(lambda: all(new.announced.get(id_) == ACTIVITIES for id_ in others), "the others go on")
        assert streams_of_new[0].id not in new.announced

    at("before-announcement-commit", overtake)
    old.take_over(0)
    assert old.announcer.drain(PATIENCE_SECONDS)
    old.announcer.raise_failure()
    assert new.announcer.drain(PATIENCE_SECONDS)

    assert told(product) == ids(0, 1, 2)
