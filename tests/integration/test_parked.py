"""Parked events on real services: listed, tried at once, discarded."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from redis import Redis

from consumer.ids.lock import release_lock_key
from tests.conformance.builders import ACME, commit, created, pushed
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services
    from tests.support.product import Product

Json = dict[str, Any]
KEY = f"{ACME}:1.0"


@pytest.fixture
def product(install: Callable[..., Product]) -> Product:
    """An installation that tries again after an hour, so that only an operator brings it forward; 1.0 is there."""
    product = install(topic_partitions=1, retry_base_seconds=3600, retry_max_seconds=3600)
    product.publish(created(), created(version="2.0"))
    product.run_until_caught_up()
    return product


@pytest.fixture
def unlock(product: Product, services: Services) -> Iterator[Callable[[], None]]:
    """Release 1.0 is locked by somebody else, until this is called."""
    (release,) = product.rows("SELECT organization_id, id FROM release WHERE version = '1.0'")
    lock = release_lock_key(release.organization_id, release.id)
    with closing(Redis.from_url(services.redis_url)) as redis:

        def unlock() -> None:
            redis.delete(lock)

        redis.set(lock, b"somebody else")
        yield unlock
        unlock()


@pytest.fixture
def waiting(product: Product, unlock: Callable[[], None]) -> list[Json]:  # noqa: ARG001  # it holds the lock
    """Three events of release 1.0 wait, the last for the others."""
    worker = product.start()
    product.publish(pushed(commit("a")), created("api"), pushed(commit("b")), pushed(commit("x"), version="2.0"))
    product.wait_until_announced(worker)
    assert worker.terminate() == 0
    listed: list[Json] = product.json("parked", "list")["parked"]
    return listed


def run(product: Product, *arguments: str, code: int = 0) -> Json:
    result = product.command("parked", *arguments, "--json")
    assert result.exit_code == code, result.output
    found: Json = orjson.loads(result.stdout)
    return found


def log(product: Product) -> list[str]:
    release = product.json("releases", "show", "--organization", ACME, "1.0")
    return [commit["id"] for commit in release["commits"]]


def must_be_sound(product: Product) -> None:
    verified = product.command("verify")
    assert verified.exit_code == 0, verified.output


def test_they_are_listed_with_what_they_wait_behind(product: Product, waiting: list[Json]) -> None:
    first, second, third = waiting
    assert [event["eventKey"] for event in waiting] == [KEY] * 3
    assert [event["eventType"] for event in waiting] == ["commits-pushed", "release-created", "commits-pushed"]
    assert [event["behind"] for event in waiting] == [None, first["id"], second["id"]]
    assert [event["offset"] for event in waiting] == [2, 3, 4]
    assert first["attempts"] == 1
    assert "being processed elsewhere" in first["reason"]
    assert "waits behind" in second["reason"]
    assert first["waitingSince"] < first["nextAttemptAt"]

    page = product.json("parked", "list", "--limit", "2")
    rest = product.json("parked", "list", "--limit", "2", "--cursor", page["nextCursor"])
    assert page["parked"] + rest["parked"] == waiting
    assert rest["nextCursor"] is None
    assert product.json("parked", "list", "--type", "release-created")["parked"] == [second]
    page = product.json("parked", "list", "--type", "commits-pushed", "--limit", "1")
    assert page["parked"] == [first]
    rest = product.json("parked", "list", "--type", "commits-pushed", "--limit", "1", "--cursor", page["nextCursor"])
    assert rest["parked"] == [third]
    assert product.json("parked", "list", "--key", f"{ACME}:2.0")["parked"] == []
    for_people = product.command("parked", "list").stdout
    assert KEY in for_people


def test_after_the_lock_is_gone_they_are_applied_at_once_in_their_order(
    product: Product, waiting: list[Json], unlock: Callable[[], None]
) -> None:
    unlock()
    worker = product.start()
    assert run(product, "retry", "--key", KEY) == {
        "retried": 3,
        "applied": 3,
        "dead": 0,
        "discarded": 0,
        "waiting": 0,
        "skipped": [],
    }
    assert log(product) == ["b"]
    assert worker.terminate() == 0
    gone = product.command("parked", "retry", str(waiting[0]["id"]))
    assert (gone.exit_code, "does not wait" in gone.stderr) == (0, True), gone.stderr
    must_be_sound(product)


def test_while_it_is_locked_they_wait_on(product: Product, waiting: list[Json]) -> None:
    worker = product.start()
    counts = run(product, "retry", "--all", code=1)
    assert (counts["retried"], counts["applied"], counts["waiting"]) == (3, 0, 3)
    assert [event["attempts"] for event in product.json("parked", "list")["parked"]] == [2, 1, 1]
    assert worker.terminate() == 0
    assert [event["id"] for event in waiting] == [e["id"] for e in product.json("parked", "list")["parked"]]


def test_without_a_worker_nothing_is_tried(product: Product, waiting: list[Json]) -> None:
    result = product.command("parked", "retry", str(waiting[0]["id"]), "--timeout", "0.5")
    assert result.exit_code == 1
    assert "`release-consumer run`" in result.stderr.splitlines()[-1]


def test_one_that_is_discarded_lets_the_others_go_on(
    product: Product, waiting: list[Json], unlock: Callable[[], None]
) -> None:
    assert run(product, "discard", str(waiting[2]["id"])) == {"discarded": 1, "skipped": []}
    assert run(product, "discard", "--type", "release-created") == {"discarded": 1, "skipped": []}
    must_be_sound(product)
    unlock()
    worker = product.start()
    assert run(product, "retry", "--all")["applied"] == 1
    assert log(product) == ["a"]
    assert product.json("dead-letters", "list")["deadLetters"] == []
    letters = product.json("dead-letters", "list", "--status", "discarded")["deadLetters"]
    assert {(letter["offset"], letter["reason"], letter["eventType"]) for letter in letters} == {
        (3, "discarded", "release-created"),
        (4, "discarded", "commits-pushed"),
    }
    # Its id may come again.
    id_ = next(letter["id"] for letter in letters if letter["offset"] == 4)
    value = product.json("dead-letters", "show", str(id_))["value"]
    product.publish(orjson.loads(value))
    wait_until(lambda: log(product) == ["b"], "the same event is applied when it comes again")
    assert worker.terminate() == 0
    must_be_sound(product)


def test_discarding_the_replay_of_a_dead_letter_discards_the_letter(product: Product) -> None:
    product.send(product.settings.topics.release_events, b"no event")
    product.flush()
    product.run_until_caught_up()
    assert product.command("dead-letters", "replay", "--all", "--no-wait").exit_code == 0
    (event,) = product.json("parked", "list")["parked"]
    assert event["deadLetter"] is not None
    assert run(product, "discard", "--all")["discarded"] == 1
    (letter,) = product.json("dead-letters", "list", "--status", "all")["deadLetters"]
    assert (letter["id"], letter["status"]) == (event["deadLetter"], "discarded")
    must_be_sound(product)


def test_a_forced_replay_leaves_what_waits_where_it_is(
    product: Product, waiting: list[Json], unlock: Callable[[], None]
) -> None:
    worker = product.start()
    topic = product.settings.topics.release_events
    dry = product.command("replay", topic, "--from-offset", "0:2", "--force", "--dry-run", "--json")
    fates = [orjson.loads(line).get("fate") for line in dry.stdout.splitlines()]
    assert fates == ["still-parked"] * 3 + ["applied-again", None]
    result = product.command("replay", topic, "--from-offset", "0:2", "--force")
    assert result.exit_code == 0, result.stderr + worker.words
    assert [event["id"] for event in product.json("parked", "list")["parked"]] == [event["id"] for event in waiting]
    must_be_sound(product)
    unlock()
    assert run(product, "retry", "--all")["applied"] == 3
    assert log(product) == ["b"]
    assert worker.terminate() == 0
    must_be_sound(product)
