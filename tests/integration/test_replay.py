"""``replay`` on real services: what goes through again, what it changes, what it announces, and what is refused."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from confluent_kafka import TopicPartition

from consumer.store import tables
from tests.conformance.builders import ACME, commit, created, deployed, pushed, updated
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.product import Product, Worker

Json = dict[str, Any]


@pytest.fixture
def product(install: Callable[..., Product]) -> Product:
    """Offsets: 0 to 2 are applied, 3 is a dead letter, 4 a duplicate."""
    product = install(topic_partitions=1)
    again = created(version="2.0")
    product.publish(created(), again, pushed(commit("a")), deployed(version="9.0"), again)
    product.run_until_caught_up()
    return product


@pytest.fixture
def worker(product: Product) -> Worker:
    worker = product.start()
    worker.wait_for_words("assigned")
    return worker


def topic(product: Product) -> str:
    return product.settings.topics.release_events


def replay(product: Product, *options: str, **code: int) -> list[Json]:
    """The objects that a replay prints."""
    result = product.command("replay", topic(product), *options, "--json")
    assert result.exit_code == code.get("code", 0), result.stderr
    return [orjson.loads(line) for line in result.stdout.splitlines()]


def summary(product: Product, *options: str, **code: int) -> Json:
    found: Json = replay(product, *options, **code)[-1]["summary"]
    return found


def contents(product: Product) -> dict[str, list[str]]:
    """Every row of every table, but who owns a partition since when; and but the outbox, which is emptied late."""
    return {
        table.name: [
            row.content
            for row in product.rows(
                "SELECT (to_jsonb(t) - 'epoch' - 'owner' - 'updated_at')::text AS content"  # noqa: S608  # names of our own
                f' FROM "{table.name}" t ORDER BY content'
            )
        ]
        for table in tables.metadata.sorted_tables
        if table.name != "outbox"
    }


def must_be_sound(product: Product) -> None:
    verified = product.command("verify")
    assert verified.exit_code == 0, verified.output


def test_a_plain_replay_of_everything_changes_no_row_and_announces_nothing(product: Product, worker: Worker) -> None:
    before, announced = contents(product), product.activities()
    assert summary(product, "--all") == {
        "partitions": [{"topic": topic(product), "partition": 0, "from": 0, "to": 5}],
        "finished": True,
        "passedOver": 5,
        "triedAgain": 0,
        "deadLettersApplied": 0,
        "announcedAgain": 0,
    }
    assert "is replayed from offset 0 to 5" in worker.words
    assert contents(product) == before

    product.publish(created(version="3.0"))
    product.wait_until_announced(worker)
    assert [activity for activity in product.activities() if activity not in announced] == product.activities()[-1:]
    assert len(product.announced_dead_letters()) == 1
    must_be_sound(product)


def test_events_that_come_during_a_replay_are_applied_once(product: Product, worker: Worker) -> None:
    summary(product, "--all", "--no-wait")
    product.publish(*(created(version=f"during-{number}") for number in range(50)))
    product.wait_until_announced(worker)
    (stream,) = product.rows("SELECT * FROM consumer_offset WHERE topic LIKE '%release%'")
    assert (stream.applied, stream.duplicate, stream.dead) == (53, 1, 1)
    assert Counter(activity["id"] for activity in product.activities()).most_common(1)[0][1] == 1
    must_be_sound(product)


def test_from_an_offset_and_from_a_time(product: Product, worker: Worker) -> None:
    assert worker.is_running
    assert summary(product, "--from-offset", "0:3")["passedOver"] == 2
    assert summary(product, "--from-offset", "0:5")["passedOver"] == 0
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert summary(product, "--from-time", tomorrow.isoformat())["passedOver"] == 0
    (letter,) = product.rows("SELECT timestamp FROM dead_letter")
    on_time = summary(product, "--from-time", letter.timestamp.isoformat())
    earlier = product.rows("SELECT count(*) AS n FROM dead_letter WHERE timestamp >= :t", t=letter.timestamp)
    assert earlier[0].n == 1
    assert 2 <= on_time["passedOver"] <= 5  # events of the same millisecond come before it
    assert summary(product, "--from-time", "2020-01-01T00:00:00Z")["passedOver"] == 5


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--from-offset", "0:6"], 1, "lies beyond what was applied, which is all before 5"),
        (["--from-offset", "1:0"], 1, "never read"),
        (["--from-offset", "0"], 2, "PARTITION:OFFSET"),
        (["--from-offset", "0:1", "--from-offset", "0:2"], 2, "each partition once"),
        (["--from-time", "yesterday"], 2, "not a time"),
        (["--from-time", "2026-02-30T00:00:00Z"], 2, "not a time"),
        ([], 2, "say where to begin"),
        (["--all", "--from-offset", "0:1"], 2, "say where to begin"),
    ],
)
def test_what_is_refused_moves_nothing(product: Product, options: list[str], code: int, words: str) -> None:
    before = contents(product)
    result = product.command("replay", topic(product), *options)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr
    assert contents(product) == before
    (stream,) = product.rows("SELECT max(epoch) AS epoch FROM consumer_offset")
    assert product.command("replay", product.settings.topics.activity, "--all").exit_code == 2
    assert product.rows("SELECT max(epoch) AS epoch FROM consumer_offset") == [stream]


def test_offsets_that_kafka_no_longer_has(product: Product, worker: Worker) -> None:
    assert worker.is_running
    (deleted,) = product.admin.delete_records([TopicPartition(topic(product), 0, 2)]).values()
    assert deleted.result().low_watermark == 2
    result = product.command("replay", topic(product), "--from-offset", "0:1")
    assert (result.exit_code, "Kafka's oldest is 2" in result.stderr) == (1, True), result.stderr
    result = product.command("replay", topic(product), "--all")
    assert result.exit_code == 0, result.stderr
    assert "Kafka's oldest offset is 2; the 2 before it are gone" in result.stderr
    assert "3 offsets passed over" in result.stderr


def test_a_dry_run_tells_each_event_and_changes_nothing(product: Product) -> None:
    before = contents(product)
    *events, last = replay(product, "--all", "--dry-run", "--reannounce")
    assert [(event["offset"], event["type"], event["fate"]) for event in events] == [
        (0, "release-created", "passed-over"),
        (1, "release-created", "passed-over"),
        (2, "commits-pushed", "passed-over"),
        (3, "release-deployed", "dead-letter-stays"),
        (4, "release-created", "passed-over"),
    ]
    (letter,) = product.json("dead-letters", "list")["deadLetters"]
    assert [event["deadLetter"] for event in events] == [None, None, None, letter["id"], None]
    again = [activity["id"] for event in events for activity in event["announced"]]
    assert sorted(again) == sorted(activity["id"] for activity in product.activities())
    assert last["summary"]["announcedAgain"] == len(again)

    *events, _ = replay(product, "--from-offset", "0:2", "--dry-run", "--force")
    assert [event["fate"] for event in events] == ["applied-again", "dead-letter-tried-again", "applied-again"]
    for_people = product.command("replay", topic(product), "--all", "--dry-run").stdout.splitlines()
    assert for_people[3].endswith(f"dead letter {letter['id']} stays")
    assert contents(product) == before


def test_a_dry_run_of_a_forced_replay_tells_what_does_not_decode(product: Product) -> None:
    product.send(topic(product), b"no event", b"key")
    product.flush()
    product.run_until_caught_up()
    *events, _ = replay(product, "--from-offset", "0:5", "--dry-run", "--force")
    assert [(event["fate"], event["type"], bool(event["errors"])) for event in events] == [
        ("dead-letter-stays", None, True)
    ]


def test_a_dry_run_shows_a_key_that_is_no_text_as_base64(product: Product) -> None:
    product.send(topic(product), b"no event", b"\xff\xfe")
    product.flush()
    product.run_until_caught_up()
    result = product.command("replay", topic(product), "--from-offset", "0:5", "--dry-run")
    assert "//4= (base64)" in result.stdout
    assert "dry run, nothing is changed: 1 event: " in result.stderr


def test_a_forced_replay_applies_dead_letters_whose_cause_is_gone(product: Product, worker: Worker) -> None:
    product.publish(created(version="9.0"))
    product.wait_until_announced(worker)
    announced = product.activities()
    forced = summary(product, "--all", "--force")
    assert (forced["finished"], forced["triedAgain"], forced["deadLettersApplied"]) == (True, 6, 1)
    product.publish(created(version="10.0"))
    product.wait_until_announced(worker)
    release = product.json("releases", "show", "--organization", ACME, "9.0")
    assert [deploy["environment"] for deploy in release["deploys"]] == ["production"]
    (letter,) = product.json("dead-letters", "list", "--status", "all")["deadLetters"]
    assert letter["status"] == "replayed"
    assert Counter(activity["id"] for activity in product.activities()).most_common(1)[0][1] == 1
    assert len(product.activities()) == len(announced) + 2  # the deploy, and the last release
    must_be_sound(product)


def test_a_forced_replay_applies_an_update_that_came_before_its_release(install: Callable[..., Product]) -> None:
    """The update after it, which was told before, sets back what it changes, and is not told again."""
    product = install(topic_partitions=1)
    early, late = "https://example.com/early", "https://example.com/late"
    product.publish(updated(url=early), created(url=late), updated(ref="v1", url=late))
    product.run_until_caught_up()
    assert replay(product, "--all", "--force", "--no-wait")
    product.run_until_caught_up()
    assert product.json("releases", "show", "--organization", ACME, "1.0")["url"] == late
    told = [a["data"]["changes"] for a in product.activities() if a["type"] == "activity.release.updated"]
    assert told == [{"ref": {"from": None, "to": "v1"}}, {"url": {"from": late, "to": early}}]
    must_be_sound(product)


def test_a_forced_replay_leaves_duplicates_and_discarded_dead_letters_alone(install: Callable[..., Product]) -> None:
    product = install(topic_partitions=1)
    first, letter = created(ref="A"), deployed(version="9.0")
    product.publish(first, updated(ref="B"), first, letter)
    product.run_until_caught_up()
    assert product.command("dead-letters", "discard", "--all", "--yes").exit_code == 0
    product.publish(created(version="9.0"))
    product.run_until_caught_up()
    before, announced = contents(product), product.activities()
    # Neither the duplicate, which would set the ref back, nor the letter, whose release exists now.
    assert replay(product, "--from-offset", "0:2", "--force", "--no-wait")
    product.run_until_caught_up()
    assert product.json("releases", "show", "--organization", ACME, "1.0")["ref"] == "B"
    assert contents(product) == before
    assert product.activities() == announced
    must_be_sound(product)


def test_what_was_caused_is_announced_again_with_the_same_ids(product: Product, worker: Worker) -> None:
    assert worker.is_running
    first = product.activities()
    assert summary(product, "--all", "--reannounce")["announcedAgain"] == len(first)
    every = product.activities()
    again = [activity for activity in every if activity.pop("replayed", False) is True]
    assert len(every) == 2 * len(first)
    for version in ("1.0", "2.0"):
        assert [a for a in again if a["subject"] == version] == [a for a in first if a["subject"] == version]
    product.publish(created(version="3.0"))
    product.wait_until_announced(worker)
    assert len(product.activities()) == 2 * len(first) + 1
    must_be_sound(product)


def test_a_part_is_announced_again(product: Product, worker: Worker) -> None:
    assert worker.is_running
    result = summary(product, "--from-offset", "0:2", "--reannounce")
    again = [activity for activity in product.activities() if activity.get("replayed")]
    assert result["announcedAgain"] == len(again) > 0
    assert {activity["subject"] for activity in again} == {"1.0"}


def test_without_a_worker_it_says_so_and_the_next_worker_does_it(product: Product) -> None:
    result = product.command("replay", topic(product), "--all", "--force", "--timeout", "0.5")
    assert result.exit_code == 1
    assert "start one: `release-consumer run`" in result.stderr.splitlines()[-1]
    (stream,) = product.rows("SELECT next_offset, frontier, forced FROM consumer_offset WHERE topic LIKE '%release%'")
    assert (stream.next_offset, stream.frontier, stream.forced) == (0, 5, True)

    result = product.command("replay", topic(product), "--from-offset", "0:1")
    assert (result.exit_code, "forced replay" in result.stderr) == (1, True), "it would be cut short"
    product.run_until_caught_up()
    (stream,) = product.rows("SELECT next_offset, forced FROM consumer_offset WHERE topic LIKE '%release%'")
    assert (stream.next_offset, stream.forced) == (5, False)
    must_be_sound(product)


def test_a_replay_under_load_from_several_workers(install: Callable[..., Product]) -> None:
    product = install(topic_partitions=4)
    workers = [product.start(), product.start()]
    product.publish(*(created(version=f"v{number}") for number in range(300)))
    product.wait_until_announced()
    result = product.process("replay", topic(product), "--all", "--json")
    product.publish(*(created(version=f"w{number}") for number in range(300)))
    assert result.returncode == 0, result.stderr
    assert orjson.loads(result.stdout.splitlines()[-1])["summary"]["passedOver"] == 300
    product.wait_until_announced()
    wait_until(lambda: len(product.activities()) >= 600, "all is announced")
    assert set(Counter(activity["id"] for activity in product.activities()).values()) == {1}
    assert [worker.terminate() for worker in workers] == [0, 0]
    must_be_sound(product)
