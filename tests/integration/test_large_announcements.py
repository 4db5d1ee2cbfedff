"""What a worker has to say may be larger than Kafka's clients send by default: it is said, and holds nothing up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from confluent_kafka import Producer

from consumer.contracts.events import CommitData
from tests.conformance.builders import commit, created, organization, pushed
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.product import Product

MEGABYTE = 1_000_000


@pytest.fixture
def product(install: Callable[..., Product]) -> Product:
    return install(topic_partitions=1)


def send(product: Product, value: bytes, key: bytes | None = None) -> None:
    """Send a release event as it is, however large it is."""
    producer = Producer(
        {
            "bootstrap.servers": product.settings.kafka_bootstrap_servers,
            "message.max.bytes": 40 * MEGABYTE,
            "compression.type": "zstd",
        }
    )
    producer.produce(product.settings.topics.release_events, value, key)
    assert producer.flush(30) == 0


def announced(product: Product) -> list[dict[str, Any]]:
    """The data of all dead letters that are announced, after a worker has come to the end."""
    product.publish(created(version="after"))
    product.run_until_caught_up()
    assert [activity["data"]["version"] for activity in product.activities()][-1] == "after"
    letters = product.reader(product.settings.topics.dead_letters).read()
    return [orjson.loads(letter.value() or b"")["data"] for letter in letters]


def test_a_log_of_very_many_authors(product: Product) -> None:
    commits = [
        CommitData(f"{n:040x}", "acme/web", "Work", author_name="N" * 128, author_email=f"{n}@{'e' * 150}.example")
        for n in range(5000)
    ]
    send(product, orjson.dumps(as_cloudevent(pushed(*commits))))
    assert announced(product) == []
    (said,) = [a for a in product.activities() if a["type"] == "activity.release.commits-set"]
    assert len(orjson.dumps(said)) > MEGABYTE
    assert len(said["data"]["authors"]) == len(commits)


def test_what_would_be_said_at_twice_the_length_of_its_event_is_a_dead_letter(product: Product) -> None:
    event = as_cloudevent(organization(options={"sensitiveFields": ["\U0010ffff" * (10 * MEGABYTE // 4)]}))
    send(product, orjson.dumps(event))
    (letter,) = announced(product)
    assert letter["reason"] == "too-large"
    assert letter["errors"][0]["message"].startswith("would be announced by activity.organization.updated of 2")


def test_a_dead_letter_with_a_huge_record_key(product: Product) -> None:
    send(product, b"nonsense", b"k" * 30 * MEGABYTE)
    (letter,) = announced(product)
    assert letter["reason"] == "not-json"
    (kept,) = product.rows("SELECT octet_length(record_key) AS length FROM dead_letter")
    assert kept.length == 30 * MEGABYTE


def test_a_dead_letter_whose_errors_are_in_fields_of_huge_names(product: Product) -> None:
    event = as_cloudevent(pushed(commit("a"), version="bad"))
    event["data"]["n" * 3 * MEGABYTE] = {str(n): "\0" for n in range(100)}
    send(product, orjson.dumps(event))
    (letter,) = announced(product)
    assert letter["reason"] == "nul"
    assert len(letter["errors"]) == 100
    assert len(orjson.dumps(letter)) < MEGABYTE
