"""Partitions that nobody reads any more: what waits there is told, handed to workers that run, or given up."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis import Redis

from consumer.ids.lock import release_lock_key
from tests.conformance.builders import ACME, commit, created, deployed, pushed
from tests.integration.test_topic_accidents import create_anew
from tests.model.cloudevents import as_cloudevent
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consumer.services import Services
    from tests.support.product import Product

    Install = Callable[..., Product]

Json = dict[str, Any]
KEY = f"{ACME}:1.0"


@pytest.fixture
def product(install: Install) -> Product:
    return install(
        topic_partitions=1,
        retry_base_seconds=0.05,
        retry_max_seconds=0.1,
        parking_attempts=1000,
    )


def park(product: Product, services: Services) -> None:
    """Leave an event that waits, because another holds the lock of its release; the lock is gone then."""
    product.publish(created())
    product.run_until_caught_up()
    (release,) = product.rows("SELECT organization_id, id FROM release")
    with closing(Redis.from_url(services.redis_url)) as redis:
        lock = release_lock_key(release.organization_id, release.id)
        redis.set(lock, b"somebody else")
        product.publish(pushed(commit("a")))
        worker = product.start()
        wait_until(lambda: product.rows("SELECT 1 FROM parked_event"), "the event is parked")
        assert worker.terminate() == 0
        redis.delete(lock)


def rename(product: Product) -> str:
    """Give the topic of release events another name; returns the former."""
    former = product.settings.topics.release_events
    product.change(topics__release_events=f"{former}-renamed")
    assert product.command("setup").exit_code == 0
    return former


def failing(product: Product) -> dict[str, Json]:
    """Lines of ``doctor`` that fail."""
    result = product.command("doctor", "--json")
    lines = orjson.loads(result.stdout)["lines"]
    return {line["subject"]: line for line in lines if line["verdict"] == "fail"}


def faults(product: Product) -> dict[str, Json]:
    result = product.command("verify", "--json")
    return {fault["check"]: fault for fault in orjson.loads(result.stdout)["faults"]}


def last_commits(product: Product) -> list[str]:
    """What the release was told to end with, time after time."""
    return [a["data"]["lastCommit"] for a in product.activities() if a["type"] == "activity.release.commits-set"]


def test_what_waits_in_a_topic_that_was_renamed_is_told_and_adopted(product: Product, services: Services) -> None:
    park(product, services)
    former = rename(product)
    worker = product.start()
    product.publish(pushed(commit("b")))
    wait_until(lambda: len(product.rows("SELECT 1 FROM parked_event")) == 2, "the next of its key waits behind it")

    line = failing(product)[f"{former}-0"]
    assert "parked events 1" in line["finding"]
    assert "parked adopt" in line["remedy"]
    assert f"--topic {former} --partition 0" in line["remedy"]
    (row,) = faults(product)["orphans"]["rows"]
    assert (row["topic"], row["partition"], row["parked_events"]) == (former, 0, 1)
    retried = product.command("parked", "retry", "--topic", former, "--json")
    assert retried.exit_code == 0, retried.output
    assert orjson.loads(retried.stdout)["retried"] == 0
    assert f"came by {former}-0, which nobody reads any more" in retried.stderr

    (adopted,) = product.json("parked", "adopt")["adopted"]
    heir = f"{product.settings.topics.release_events}-0"
    assert adopted == {"orphan": f"{former}-0", "heir": heir, "parked": 1, "announcements": 0}
    wait_until(lambda: not product.rows("SELECT 1 FROM parked_event"), f"both are applied; {worker.words}")
    wait_until(lambda: last_commits(product) == ["a", "b"], "what waited is announced: its offsets were passed before")
    assert product.json("parked", "adopt") == {"adopted": []}
    assert failing(product) == {}
    assert faults(product) == {}
    assert worker.terminate() == 0


def test_a_topic_with_fewer_partitions(install: Install) -> None:
    product = install(topic_partitions=2, retry_base_seconds=0.05, retry_max_seconds=0.1, parking_attempts=1000)
    version = "1.0"
    product.send(*product.record_of(as_cloudevent(deployed(version=version))), partition=1)
    product.flush()
    product.run_until_caught_up()
    assert product.command("dead-letters", "replay", "--all", "--no-wait").exit_code == 0
    product.change(topic_partitions=1, catalog_partitions=1)
    create_anew(product)
    topic = product.settings.topics.release_events
    worker = product.start()
    product.publish(created(version=version))
    wait_until(lambda: len(product.rows("SELECT 1 FROM parked_event")) == 2, "the next of its key waits behind it")
    assert "dead letters that are tried again: 1" in failing(product)[f"{topic}-1"]["finding"]
    assert product.command("parked", "adopt").exit_code == 0
    wait_until(lambda: not product.rows("SELECT 1 FROM parked_event"), f"both had their turn; {worker.words}")
    assert [row.version for row in product.rows("SELECT version FROM release")] == [version]
    assert failing(product) == {}
    assert worker.terminate() == 0
    assert faults(product).keys() <= {"dead-letters-announced"}


def test_dead_letters_of_an_orphan_are_not_put_back_to_wait_for_ever(product: Product) -> None:
    product.publish(deployed())
    product.run_until_caught_up()
    former = rename(product)
    product.publish(created())
    product.run_until_caught_up()
    result = product.command("dead-letters", "replay", "--all", "--json")
    assert result.exit_code == 0, result.output
    counts = orjson.loads(result.stdout)
    (skipped,) = counts["skipped"]
    assert (counts["replayed"], former in skipped["why"]) == (0, True)
    assert product.rows("SELECT 1 FROM parked_event") == []
    assert failing(product) == {}, "nothing waits"

    assert product.command("parked", "adopt").exit_code == 0
    worker = product.start()
    assert product.json("dead-letters", "replay", "--all")["applied"] == 1
    product.wait_until_announced(worker)
    assert worker.terminate() == 0
    assert faults(product) == {}


def test_what_waits_can_be_given_up_by_topic_and_partition(
    product: Product, services: Services, tmp_path: Path
) -> None:
    park(product, services)
    former = rename(product)
    product.publish(pushed(commit("b")))
    assert product.command("parked", "discard", "--partition", "0").exit_code == 2
    assert product.json("parked", "discard", "--topic", former, "--partition", "1")["discarded"] == 0
    assert product.json("parked", "discard", "--topic", former, "--partition", "0")["discarded"] == 1
    product.run_until_caught_up()
    assert last_commits(product) == ["b"]
    assert failing(product) == {}
    # What was given up is kept, and can be published again.
    (letter,) = product.json("dead-letters", "list", "--status", "discarded")["deadLetters"]
    value = product.json("dead-letters", "show", str(letter["id"]))["value"]
    (tmp_path / "again.jsonl").write_text(value)
    assert product.command("publish", str(tmp_path / "again.jsonl")).exit_code == 0
    product.run_until_caught_up()
    assert last_commits(product) == ["b", "a"]
    assert faults(product) == {}


def test_what_was_not_announced_of_an_orphan_is_announced(product: Product) -> None:
    product.publish(created(version="0.9"))
    product.run_until_caught_up()
    product.publish(created())
    assert product.start("--until-caught-up", failpoint="after-commit").wait() != 0
    (kept,) = product.rows("SELECT count(*) AS all FROM activity")
    former = rename(product)
    product.publish(created(version="2.0"))
    product.run_until_caught_up()
    before = product.activities()
    assert len(before) < kept.all + 1
    # The worker that was killed has its partitions until the group expels it.
    wait_until(lambda: failing(product), "the former topic is told of")
    assert "announcements 1" in failing(product)[f"{former}-0"]["finding"]
    (row,) = faults(product)["orphans"]["rows"]
    assert (row["topic"], row["announcements"]) == (former, 1)

    worker = product.start()
    (adopted,) = [one for one in product.json("parked", "adopt")["adopted"] if one["announcements"]]
    assert adopted["announcements"] == 1
    wait_until(lambda: len(product.activities()) == len(before) + 1, f"it is announced; {worker.words}")
    product.wait_until_announced(worker)
    assert len({activity["id"] for activity in product.activities()}) == len(before) + 1
    assert failing(product) == {}
    assert faults(product) == {}
    assert worker.terminate() == 0


def test_without_a_partition_that_was_read_there_is_no_heir(product: Product, services: Services) -> None:
    park(product, services)
    catalog = product.settings.topics.catalog_events
    product.change(topics__catalog_events=f"{catalog}-renamed")
    rename(product)
    result = product.command("parked", "adopt")
    assert result.exit_code == 1
    assert "release-consumer run" in result.stderr


def test_what_waits_for_another_group_of_the_database_is_told(product: Product, services: Services) -> None:
    park(product, services)
    former = product.settings.group_id
    product.change(group_id=f"{former}-2")
    product.publish(created(version="2.0"))
    worker = product.start()
    wait_until(lambda: product.rows("SELECT 1 FROM release WHERE version = '2.0'"), "it is applied")
    assert worker.terminate() == 0
    lines = {line["subject"]: line for line in orjson.loads(product.command("doctor", "--json").stdout)["lines"]}
    assert (lines[f"group {former}"]["verdict"], "1" in lines[f"group {former}"]["finding"]) == ("warn", True)
    assert faults(product) == {}
    # Each group keeps to what is its own.
    product.change(group_id=former)
    assert faults(product) == {}
