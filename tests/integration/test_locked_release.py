"""A release whose Redis lock another holds: its commits wait, all else flows (SEMANTICS 4.3, DESIGN section 3)."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from consumer.ids.lock import release_lock_key
from tests.conformance.builders import ACME, commit, created, pushed
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services
    from tests.support.product import Product, Worker

SOMEBODY = b"somebody else"
VERSION = "1.0"
OTHER = "2.0"


@pytest.fixture
def redis(services: Services) -> Iterator[Redis]:
    with closing(Redis.from_url(services.redis_url)) as client:
        yield client


@pytest.fixture
def product(install: Callable[..., Product]) -> Product:
    """An installation whose attempts follow on each other quickly."""
    return install(topic_partitions=1, retry_base_seconds=0.05, retry_max_seconds=0.2, parking_attempts=1000)


@pytest.fixture
def worker(product: Product) -> Worker:
    """A worker that has made release 1.0."""
    worker = product.start()
    product.publish(created(version=VERSION))
    product.wait_until_announced(worker)
    return worker


@pytest.fixture
def lock(product: Product, worker: Worker, redis: Redis) -> Iterator[str]:
    """The lock of release 1.0, held by somebody else."""
    assert worker.is_running
    (release,) = product.rows("SELECT organization_id, id FROM release")
    lock = release_lock_key(release.organization_id, release.id)
    redis.set(lock, SOMEBODY)
    yield lock
    redis.delete(lock)


def parked(product: Product) -> list[tuple[int, str]]:
    """Offset and key of the events that wait, in their order."""
    rows = product.rows('SELECT "offset", event_key FROM parked_event ORDER BY id')
    return [(row.offset, row.event_key) for row in rows]


def attempts(product: Product) -> list[int]:
    return [row.attempts for row in product.rows("SELECT attempts FROM parked_event ORDER BY id")]


def log(product: Product, version: str) -> list[str]:
    """The commits of a release, newest first."""
    release = product.json("releases", "show", "--organization", ACME, version)
    return [commit["id"] for commit in release["commits"]]


def last_commits(product: Product) -> list[str]:
    """The last commits of release 1.0 in the order in which they were announced."""
    return [
        activity["data"]["lastCommit"]
        for activity in product.activities()
        if activity["type"] == "activity.release.commits-set" and activity["data"]["version"] == VERSION
    ]


def must_be_conserved(product: Product) -> None:
    """Every offset that was passed has a fate, and nothing waits."""
    for row in product.rows("SELECT * FROM consumer_offset"):
        assert row.next_offset - row.first_offset == row.applied + row.duplicate + row.dead + row.absent
        assert row.parked == 0
    assert parked(product) == []


def test_commits_wait_in_their_order_while_others_flow(
    product: Product, worker: Worker, redis: Redis, lock: str
) -> None:
    product.publish(
        pushed(commit("a"), version=VERSION),
        pushed(commit("x"), version=OTHER),
        pushed(commit("b"), version=VERSION),
        created("api", version=VERSION),
        pushed(commit("y"), version=OTHER),
    )
    product.wait_until_announced(worker)
    assert log(product, OTHER) == ["y"]
    assert log(product, VERSION) == []
    assert parked(product) == [(1, f"{ACME}:{VERSION}"), (3, f"{ACME}:{VERSION}"), (4, f"{ACME}:{VERSION}")]

    wait_until(lambda: attempts(product)[0] > 2, "the first event is tried again")
    assert attempts(product)[1:] == [1, 1], "those behind it are not tried"
    product.publish(pushed(commit("c"), version=VERSION), pushed(commit("z"), version=OTHER))
    product.wait_until_announced(worker)
    assert log(product, OTHER) == ["z"]
    assert [offset for offset, _ in parked(product)] == [1, 3, 4, 6]
    assert redis.get(lock) == SOMEBODY

    redis.delete(lock)
    wait_until(lambda: not parked(product), "nothing waits any more")
    assert worker.terminate() == 0
    assert log(product, VERSION) == ["c"]
    assert last_commits(product) == ["a", "b", "c"]
    assert product.json("releases", "show", "--organization", ACME, VERSION)["projects"] == ["api", "web"]
    assert redis.get(lock) is None, "the worker gives its own lock back"
    must_be_conserved(product)


def test_what_waits_survives_a_restart(product: Product, worker: Worker, redis: Redis, lock: str) -> None:
    product.publish(pushed(commit("a"), version=VERSION), pushed(commit("b"), version=VERSION))
    product.wait_until_announced(worker)
    assert worker.terminate() == 0
    assert len(parked(product)) == 2

    redis.delete(lock)
    product.run_until_caught_up()
    assert last_commits(product) == ["a", "b"]
    must_be_conserved(product)


def test_a_run_until_caught_up_waits_for_it(product: Product, worker: Worker, redis: Redis, lock: str) -> None:
    assert worker.terminate() == 0
    product.publish(pushed(commit("a"), version=VERSION))
    run = product.start("--until-caught-up")
    wait_until(lambda: max(attempts(product), default=0) > 5, "the event is tried again")
    assert run.is_running
    redis.delete(lock)
    assert run.wait() == 0, run.words
    assert last_commits(product) == ["a"]
    must_be_conserved(product)


def test_a_lock_whose_owner_died_expires(product: Product, worker: Worker, redis: Redis, lock: str) -> None:
    product.publish(pushed(commit("a"), version=VERSION))
    product.wait_until_announced(worker)
    assert parked(product)
    redis.pexpire(lock, 100)
    wait_until(lambda: not parked(product), "nothing waits any more")
    assert worker.terminate() == 0
    assert last_commits(product) == ["a"]
    assert redis.get(lock) is None
    must_be_conserved(product)


def test_after_the_last_attempt_it_is_a_dead_letter_and_its_followers_go_on(
    product: Product, worker: Worker, redis: Redis, lock: str
) -> None:
    assert worker.terminate() == 0
    product.publish(
        pushed(commit("a"), version=VERSION), created("api", version=VERSION), pushed(commit("b"), version=VERSION)
    )
    product.run_until_caught_up(parking_attempts=2)
    assert redis.get(lock) == SOMEBODY
    letters = product.json("dead-letters", "list")["deadLetters"]
    assert [(letter["offset"], letter["reason"]) for letter in reversed(letters)] == [
        (1, "release-commit-error"),
        (3, "release-commit-error"),
    ]
    assert [letter["data"]["offset"] for letter in product.announced_dead_letters()] == [1, 3]
    release = product.json("releases", "show", "--organization", ACME, VERSION)
    assert (release["projects"], release["commits"]) == (["api", "web"], [])
    must_be_conserved(product)

    redis.delete(lock)
    product.publish(pushed(commit("c"), version=VERSION))
    product.run_until_caught_up(parking_attempts=2)
    assert log(product, VERSION) == ["c"]
