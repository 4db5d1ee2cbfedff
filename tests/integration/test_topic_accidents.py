"""What happens to topics behind a worker's back: created anew, cut short, given more partitions (DESIGN section 1)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import NewPartitions
from redis import Redis

from consumer.ids.lock import release_lock_key
from tests.conformance.builders import ACME, commit, created, pushed
from tests.model.cloudevents import as_cloudevent
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services import Services
    from tests.support.product import Product

    Install = Callable[..., Product]

CONSERVED = """
    SELECT topic, partition FROM consumer_offset
    WHERE applied + duplicate + parked + dead + absent + lost <> frontier - first_offset + adopted
"""


def versions(product: Product) -> list[str]:
    return [row.version for row in product.rows("SELECT version FROM release ORDER BY version")]


def create_anew(product: Product) -> None:
    """Delete the input topics and create them again, empty."""

    def is_gone() -> bool:
        return not set(product.settings.topics.inputs) & set(product.admin.list_topics(timeout=10).topics)

    for deleted in product.admin.delete_topics(product.settings.topics.inputs).values():
        deleted.result()
    wait_until(is_gone, "topics are deleted")

    def is_made() -> bool:
        # Right after a deletion Kafka may not know yet that the name is free.
        return product.process("setup").returncode == 0 and not is_gone()

    wait_until(is_made, "topics are created")


def remove_records(product: Product, before: int) -> None:
    """Do what retention does: remove the first records of partition 0."""
    topic = product.settings.topics.release_events
    for removed in product.admin.delete_records([TopicPartition(topic, 0, before)]).values():
        removed.result()


def test_a_topic_created_anew_is_read_from_its_beginning(install: Install) -> None:
    product = install(topic_partitions=1)
    product.publish(created(), created(version="2.0"), created(version="3.0"))
    product.run_until_caught_up()
    create_anew(product)
    product.publish(created(version="4.0"))
    product.run_until_caught_up()
    assert versions(product) == ["1.0", "2.0", "3.0", "4.0"]
    assert product.rows(CONSERVED) == []


def test_a_worker_whose_topic_is_created_anew_says_so_and_the_next_one_reads_it(install: Install) -> None:
    product = install(topic_partitions=1)
    worker = product.start()
    product.publish(created())
    product.wait_until_announced(worker)
    create_anew(product)
    product.publish(created(version="2.0"))
    assert worker.wait() == 1
    assert "was deleted and created anew" in worker.words or "Kafka refuses this worker" in worker.words
    product.run_until_caught_up()
    assert versions(product) == ["1.0", "2.0"]
    assert product.rows(CONSERVED) == []


def test_what_waits_of_a_topic_created_anew_is_applied_before_what_follows(
    install: Install, services: Services
) -> None:
    product = install(topic_partitions=1, retry_base_seconds=0.05, retry_max_seconds=0.1, parking_attempts=1000)
    product.publish(created())
    product.run_until_caught_up()
    (release,) = product.rows("SELECT organization_id, id FROM release")
    lock = release_lock_key(release.organization_id, release.id)
    with closing(Redis.from_url(services.redis_url)) as redis:
        redis.set(lock, b"somebody else")
        product.publish(pushed(commit("a")))
        worker = product.start()
        wait_until(lambda: product.rows("SELECT 1 FROM parked_event"), "the event is parked")
        assert worker.terminate() == 0
        create_anew(product)
        product.publish(pushed(commit("b")))
        redis.delete(lock)
    product.run_until_caught_up()
    assert product.rows("SELECT * FROM parked_event") == []
    shown = product.json("releases", "show", "--organization", ACME, "1.0")
    assert [commit["id"] for commit in shown["commits"]] == ["b"]
    set_twice = [a["data"]["lastCommit"] for a in product.activities() if a["type"] == "activity.release.commits-set"]
    assert set_twice == ["a", "b"]
    (total,) = product.rows("SELECT sum(parked) AS parked, sum(adopted) AS adopted FROM consumer_offset")
    assert tuple(total) == (0, 0)
    assert product.rows(CONSERVED) == []


@pytest.mark.parametrize("has_begun", [True, False], ids=["read before", "never read"])
def test_events_that_retention_removed_unread_stop_the_worker(install: Install, *, has_begun: bool) -> None:
    product = install(topic_partitions=1)
    product.publish(created())
    if has_begun:
        product.run_until_caught_up()
    product.publish(created(version="2.0"), created(version="3.0"))
    remove_records(product, before=2)
    worker = product.start("--until-caught-up")
    if not has_begun:
        # A group that begins today takes what there is.
        assert worker.wait() == 0, worker.words
        assert versions(product) == ["3.0"]
        return
    assert worker.wait() == 1
    assert "removed 1 offsets" in worker.words
    assert "RELEASE_CONSUMER_MISSING_OFFSETS=skip" in worker.words
    assert versions(product) == ["1.0"]


def test_events_that_retention_removed_are_skipped_and_counted_where_the_settings_say_so(install: Install) -> None:
    product = install(topic_partitions=1, missing_offsets="skip")
    product.publish(created())
    product.run_until_caught_up()
    product.publish(created(version="2.0"), created(version="3.0"))
    remove_records(product, before=2)
    worker = product.run_until_caught_up()
    assert "removed 1 offsets: they are skipped" in worker.words
    assert versions(product) == ["1.0", "3.0"]
    assert [row.lost for row in product.rows("SELECT lost FROM consumer_offset WHERE lost > 0")] == [1]
    assert product.rows(CONSERVED) == []


def test_partitions_that_are_added_are_read_from_their_beginning(install: Install) -> None:
    product = install(topic_partitions=1)
    worker = product.start(kafka__topic_metadata_refresh_interval_ms=500)
    product.publish(created())
    product.wait_until_announced(worker)
    topic = product.settings.topics.release_events
    for added in product.admin.create_partitions([NewPartitions(topic, 3)]).values():
        added.result()
    # One that has not seen the topic before knows its new partitions.
    producer = Producer({"bootstrap.servers": product.settings.kafka_bootstrap_servers})
    for partition, version in ((1, "2.0"), (2, "3.0")):
        topic, value, key = product.record_of(as_cloudevent(created(version=version)))
        producer.produce(topic, value, key, partition=partition)
    producer.flush()
    wait_until(lambda: versions(product) == ["1.0", "2.0", "3.0"], f"all are applied; {worker.words}")
    assert worker.terminate() == 0
    assert product.rows(CONSERVED) == []
