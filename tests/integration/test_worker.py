"""``run`` as its users run it: a process of its own on the real services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition

from tests.conformance.builders import ANN, commit, created, group, pushed, said_again
from tests.model.cloudevents import as_cloudevent
from tests.support.database_state import dump_rows
from tests.support.product import Product, own_database, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services
    from tests.support.product import Partition

    Install = Callable[..., Product]
    Rows = dict[str, list[tuple[Any, ...]]]

NOWHERE = "127.0.0.1:1"


def history() -> list[AnyEvent]:
    """A group that a release resolves, and a release more."""
    return [group(), created(), pushed(commit("a", "Fixes WEB-1", **ANN)), created(version="2.0")]


def publish_in_transactions(product: Product, *transactions: tuple[list[AnyEvent], bool]) -> None:
    """Publish events to one partition in transactions, each of which is committed or aborted."""
    properties = {"bootstrap.servers": product.settings.kafka_bootstrap_servers, "transactional.id": uuid4().hex}
    producer = Producer(properties)
    producer.init_transactions()
    for events, is_committed in transactions:
        producer.begin_transaction()
        for event in events:
            topic, value, key = product.record_of(as_cloudevent(event))
            producer.produce(topic, value, key, partition=0)
        producer.flush()
        if is_committed:
            producer.commit_transaction()
        else:
            producer.abort_transaction()


def versions(product: Product) -> set[str]:
    return {row.version for row in product.rows("SELECT version FROM release")}


def effects(product: Product) -> Rows:
    """All rows that events change, with the transactions that wrote them."""
    with product.engine.connect() as connection:
        rows = dump_rows(connection)
    return {table: rows[table] for table in rows.keys() - {"processed_event", "outbox"}}


def must_be_announced(product: Product) -> None:
    """Kafka has committed for the group what PostgreSQL has applied; the metadata tells the number announced."""
    streams = product.rows("SELECT * FROM consumer_offset WHERE next_offset > 0")
    assert {partition: found for partition, found in product.committed().items() if found[0]} == {
        (stream.topic, stream.partition): (
            stream.next_offset,
            f"release-consumer/1 {stream.stream} {stream.next_seq - 1}",
        )
        for stream in streams
    }
    announced = [activity["id"] for activity in product.activities()]
    assert len(announced) == len(set(announced)) == sum(stream.next_seq - 1 for stream in streams)


def applied(product: Product) -> dict[Partition, int]:
    """How far partitions are applied."""
    streams = product.rows("SELECT topic, partition, next_offset FROM consumer_offset WHERE next_offset > 0")
    return {(stream.topic, stream.partition): stream.next_offset for stream in streams}


# --- until caught up ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_run_until_caught_up_applies_and_announces_all(install: Install, protocol: str) -> None:
    product = install(group_protocol=protocol)
    product.publish(*history())
    product.run_until_caught_up()
    assert versions(product) == {"1.0", "2.0"}
    assert applied(product) == product.ends()
    must_be_announced(product)
    assert {activity["type"] for activity in product.activities()} >= {
        "activity.release.created",
        "activity.release.commits-set",
    }


def test_empty_topics_are_caught_up_with(install: Install) -> None:
    product = install()
    product.run_until_caught_up()
    assert product.activities() == []


def test_marks_of_transactions_at_the_end_are_passed(install: Install) -> None:
    product = install()
    publish_in_transactions(product, ([created(), created(version="2.0")], True))
    product.run_until_caught_up()
    assert versions(product) == {"1.0", "2.0"}
    assert list(product.ends().values()) == [3]
    assert applied(product) == product.ends()
    must_be_announced(product)


def test_aborted_input_is_never_applied(install: Install) -> None:
    product = install()
    kept, dropped = created(), created(version="2.0")
    publish_in_transactions(product, ([dropped], False), ([kept], True), ([dropped], False))
    product.run_until_caught_up()
    assert versions(product) == {"1.0"}
    assert applied(product) == product.ends()
    must_be_announced(product)


def test_a_topic_with_aborted_input_only_is_caught_up_with(install: Install) -> None:
    product = install()
    publish_in_transactions(product, ([created()], False))
    product.run_until_caught_up()
    assert versions(product) == set()
    assert applied(product) == product.ends()


# --- everything again --------------------------------------------------------------------------------------------


def test_the_same_events_again_change_and_announce_nothing(install: Install) -> None:
    product = install()
    events = history()
    product.publish(*events)
    product.run_until_caught_up()
    before, announced = effects(product), product.activities()
    product.publish(*events)
    product.run_until_caught_up()
    assert effects(product) == before
    assert product.activities() == announced


def test_the_same_content_under_other_ids_changes_and_announces_nothing(install: Install) -> None:
    product = install()
    events = history()
    product.publish(*events)
    product.run_until_caught_up()
    before, announced = effects(product), product.activities()
    product.publish(*map(said_again, events))
    product.run_until_caught_up()
    assert effects(product) == before
    assert product.activities() == announced
    must_be_announced(product)


# --- stopping and sharing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_sigterm_under_load_finishes_what_was_read(install: Install, protocol: str) -> None:
    product = install(group_protocol=protocol, batch_size=10)
    product.publish(*(pushed(commit(f"c{number}"), version=f"{number}.0") for number in range(1500)))
    worker = product.start()
    wait_until(lambda: applied(product), f"something is applied; {worker.words}")
    assert worker.terminate() == 0, worker.words
    assert 0 < len(versions(product)) < 1500
    must_be_announced(product)

    product.run_until_caught_up(batch_size=500)
    assert len(versions(product)) == 1500
    must_be_announced(product)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_two_workers_share_the_partitions(install: Install, protocol: str) -> None:
    product = install(group_protocol=protocol)
    first, second = product.start(), product.start()

    def owners() -> list[str]:
        """The owner of each partition by the number of its process."""
        return [row.owner.rpartition("-")[2] for row in product.rows("SELECT owner FROM consumer_offset")]

    both = sorted(2 * [str(first.pid), str(second.pid)])
    wait_until(lambda: sorted(owners()) == both, f"each owns two partitions; {first.words}\n{second.words}")
    product.publish(*(created(version=f"{number}.0") for number in range(50)))
    product.wait_until_announced(first)
    assert sorted(owners()) == both

    assert first.terminate() == 0
    product.publish(*(created(version=f"{number}.1") for number in range(50)))
    product.wait_until_announced(second)
    # A partition that nothing new came to may be taken over last.
    wait_until(lambda: set(owners()) == {str(second.pid)}, f"the second owns all; {second.words}")
    assert len(versions(product)) == 100
    assert second.terminate() == 0
    must_be_announced(product)


# --- services and set-up -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "setting", "address"),
    [
        ("Kafka", "kafka_bootstrap_servers", NOWHERE),
        ("PostgreSQL", "database_url", f"postgresql://me:secret@{NOWHERE}/db"),
    ],
)
def test_a_service_that_is_missing_is_waited_for_within_a_bound(
    install: Install, what: str, setting: str, address: str
) -> None:
    worker = install().start(startup_timeout_seconds=2, **{setting: address})
    assert worker.wait(8) == 1
    waiting, *_, end = worker.lines
    assert f"waiting for {what} at " in waiting
    assert f"Error: {what} at " in end
    assert " did not answer in 2 s (" in end
    assert NOWHERE in end
    assert "secret" not in worker.words
    assert "Traceback" not in worker.words


def test_a_topic_that_is_missing_is_told_with_the_remedy(install: Install) -> None:
    product = install()
    topic = product.settings.topics.catalog_events
    product.admin.delete_topics([topic])[topic].result()
    worker = product.start()
    assert worker.wait() == 1
    assert worker.lines == [f"Error: Kafka topic {topic!r} does not exist; run `release-consumer setup`"]


def test_a_database_that_is_not_migrated_is_told_with_the_remedy(services: Services, install: Install) -> None:
    with own_database(services.database_url) as empty:
        worker = install().start(database_url=empty)
        assert worker.wait() == 1
    (line,) = worker.lines
    assert line.startswith("Error: the database has schema revision none, this version needs ")
    assert line.endswith("; run `release-consumer setup`")


def test_without_redis_it_goes_on(install: Install) -> None:
    product = install(redis_url=f"redis://{NOWHERE}/0")
    product.publish(*history())
    worker = product.run_until_caught_up()
    assert "Redis does not answer, going on without it" in worker.words
    assert versions(product) == {"1.0", "2.0"}
    must_be_announced(product)


# --- offsets of the group, reset by Kafka's own tool -------------------------------------------------------------


def reset_offsets(product: Product) -> None:
    """Move the group to the start of every partition, as an administrator does who does not know this product."""
    offsets = [TopicPartition(topic, number, 0) for topic, number in product.ends()]
    moved = product.admin.alter_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(product.settings.group_id, offsets)]
    )
    for future in moved.values():
        future.result()
    assert set(product.committed().values()) == {(0, "")}


def test_offsets_that_were_reset_are_told_and_repeat_no_more_than_the_outbox_holds(install: Install) -> None:
    product = install(topic_partitions=1)
    worker = product.start()
    product.publish(*history())
    product.wait_until_announced(worker)
    product.publish(created(version="3.0"))
    product.wait_until_announced(worker)
    assert worker.terminate() == 0
    before, announced = effects(product), [activity["id"] for activity in product.activities()]
    held = {
        row.event_id
        for row in product.rows("SELECT a.event_id::text FROM outbox o JOIN activity a ON a.id = o.activity_id")
    }
    assert 0 < len(held) < len(announced)

    reset_offsets(product)
    worker = product.run_until_caught_up()
    assert "Kafka's committed offset does not tell what was announced (were the offsets of the group reset?)" in (
        worker.words
    )
    assert effects(product) == before
    repeated = [activity["id"] for activity in product.activities()][len(announced) :]
    assert sorted(repeated) == sorted(held)

    product.run_until_caught_up()
    assert len(product.activities()) == len(announced) + len(repeated)
    assert {partition: offset for partition, (offset, _) in product.committed().items()} == product.ends()
