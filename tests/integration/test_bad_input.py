"""Bad input through Kafka: it becomes dead letters, whole and with every error, and its neighbours are applied."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from consumer.contracts.records import headers_from_json
from consumer.store.activities import CONTENT_TYPE
from tests.conformance.builders import ACME, commit, created, pushed, ref
from tests.model.cloudevents import as_cloudevent
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confluent_kafka import Message

    from consumer.services import Services

Json = dict[str, Any]
Headers = list[tuple[str, bytes | None]]

MAX_BYTES = 4096
STRUCTURED: Headers = [("content-type", b"application/cloudevents+json")]
BINARY: Headers = [
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_type", b"release-created"),
    ("ce_source", b"/tests"),
    ("ce_id", b"binary"),
]


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that must die: why, where, and what it says its type is."""

    title: str
    value: bytes | None
    reason: str
    paths: tuple[str, ...]
    type: str | None = None
    headers: tuple[tuple[str, bytes | None], ...] = tuple(STRUCTURED)


def document(event_type: str = "commits-pushed", **data: Any) -> bytes:
    """A push of one commit, with other data."""
    event = as_cloudevent(pushed(commit("a", "Start"), version="bad"))
    return orjson.dumps(event | {"type": event_type, "data": event["data"] | data})


def binary(**headers: bytes | None) -> tuple[tuple[str, bytes | None], ...]:
    """Headers of a good event in binary mode, changed: ``None`` takes one out."""
    changed = dict(BINARY) | headers
    return tuple((name, value) for name, value in changed.items() if value is not None)


BINARY_DATA = orjson.dumps({"organization": ACME, "version": "bad", "projects": ["web"]})
BAD = [
    Bad("not JSON", b'{"specversion": nope}', "not-json", ("$",)),
    Bad("not UTF-8", b'{"type": "\xff"}', "not-json", ("$",), "\N{REPLACEMENT CHARACTER}"),
    Bad("no object", b"[1]", "not-a-cloudevent", ("$",)),
    Bad("no CloudEvent", b'{"type": "commits-pushed"}', "not-a-cloudevent", (), "commits-pushed"),
    Bad("no value", None, "tombstone", ("$",)),
    Bad("an unknown type", document("release-burnt"), "unknown-type", ("$.type",), "release-burnt"),
    Bad(
        "many schema errors",
        document(version="a/b", refs="none", commits=[{"id": ""}, {"id": "b", "timestamp": "never"}]),
        "schema",
        ("$.data.commits[0].id", "$.data.commits[1].timestamp", "$.data.refs", "$.data.version"),
        "commits-pushed",
    ),
    Bad(
        "a date that no calendar has",
        document(commits=[{"id": "a", "timestamp": "2024-02-30T00:00:00Z"}]),
        "rule",
        ("$.data.commits[0].timestamp",),
        "commits-pushed",
    ),
    Bad(
        "a repository that is not known",
        orjson.dumps(as_cloudevent(pushed(commit("a"), refs=[ref("who/knows", "a")], version="bad"))),
        "invalid-repository",
        ("$.data.refs[0].repository",),
        "commits-pushed",
    ),
    Bad(
        "a NUL",
        document(commits=[{"id": "a", "message": "a\0b"}]),
        "nul",
        ("$.data.commits[0].message",),
        "commits-pushed",
    ),
    Bad(
        "a lone surrogate",
        document().replace(b"Start", rb"\ud800"),
        "not-json",
        ("$.data.commits[0].message",),
        "commits-pushed",
    ),
    Bad("more than the limit", document(note="x" * MAX_BYTES), "too-large", ("$",)),
    Bad(
        "a header that is not UTF-8",
        BINARY_DATA,
        "not-a-cloudevent",
        ("$.id",),
        headers=binary(ce_id=b"\xff"),
    ),
    Bad(
        "a header that is missing",
        BINARY_DATA,
        "schema",
        ("$.source",),
        "release-created",
        headers=binary(ce_source=None),
    ),
    Bad(
        "a header with a NUL",
        BINARY_DATA,
        "nul",
        ("$.source",),
        "release-created",
        headers=binary(ce_source=b"a\0b"),
    ),
    Bad(
        "another event format",
        BINARY_DATA,
        "not-a-cloudevent",
        ("$",),
        headers=(("content-type", b"application/cloudevents+protobuf"),),
    ),
]
PLACES = ["first", "middle", "last"]
EVERY = [pytest.param(bad, place, id=f"{bad.title}, {place}") for bad in BAD for place in PLACES]


class Outcome:
    """Batches of three, each with one bad record in another place, after a worker has run."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.topic = product.settings.topics.release_events
        self.offsets: dict[tuple[str, str], int] = {}
        self.neighbours: dict[tuple[str, str], list[str]] = {}
        numbers = count()
        for bad in BAD:
            for index, place in enumerate(PLACES):
                self.neighbours[bad.title, place] = []
                for position in range(len(PLACES)):
                    offset = next(numbers)
                    if position == index:
                        self.offsets[bad.title, place] = offset
                        product.send(self.topic, bad.value, self.key(bad), list(bad.headers))
                    else:
                        version = f"{offset}.0"
                        self.neighbours[bad.title, place].append(version)
                        product.send(*product.record_of(as_cloudevent(created(version=version))))
        product.flush()
        product.run_until_caught_up()
        self.letters = {row.offset: row for row in product.rows("SELECT * FROM dead_letter")}
        self.announced = {self.data(message)["offset"]: message for message in self.read_announced()}
        self.versions = {row.version for row in product.rows("SELECT version FROM release")}

    def read_announced(self) -> list[Message]:
        return self.product.reader(self.product.settings.topics.dead_letters).read()

    @staticmethod
    def key(bad: Bad) -> bytes:
        return bad.title.encode() + b"\xfe"

    @staticmethod
    def data(message: Message) -> Json:
        data: Json = orjson.loads(message.value() or b"")["data"]
        return data


@pytest.fixture(scope="module")
def outcome(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with (
        own_database(services.database_url) as url,
        closing(
            Product(
                services,
                url,
                tmp_path_factory.mktemp("product"),
                topic_partitions=1,
                batch_size=len(PLACES),
                max_event_bytes=MAX_BYTES,
            )
        ) as product,
    ):
        product.set_up()
        yield Outcome(product)


def test_exactly_the_bad_ones_are_dead_letters(outcome: Outcome) -> None:
    assert sorted(outcome.letters) == sorted(outcome.offsets.values())
    (stream,) = outcome.product.rows("SELECT * FROM consumer_offset WHERE topic = :topic", topic=outcome.topic)
    assert (stream.dead, stream.applied) == (len(EVERY), len(EVERY) * 2)
    assert stream.next_offset == len(EVERY) * len(PLACES)


@pytest.mark.parametrize(("bad", "place"), EVERY)
def test_a_dead_letter_is_the_whole_record_with_every_error(outcome: Outcome, bad: Bad, place: str) -> None:
    letter = outcome.letters[outcome.offsets[bad.title, place]]
    assert (letter.topic, letter.partition) == (outcome.topic, 0)
    assert bytes(letter.record_key) == outcome.key(bad)
    assert (None if letter.value is None else bytes(letter.value)) == bad.value
    assert headers_from_json(letter.headers) == list(bad.headers)
    assert (letter.reason, letter.event_type) == (bad.reason, bad.type)
    paths = sorted(error["path"] for error in letter.errors)
    assert paths == sorted(bad.paths) if bad.paths else len(paths) > 1
    assert all(error["message"] for error in letter.errors)


@pytest.mark.parametrize(("bad", "place"), EVERY)
def test_a_dead_letter_is_announced(outcome: Outcome, bad: Bad, place: str) -> None:
    offset = outcome.offsets[bad.title, place]
    letter, message = outcome.letters[offset], outcome.announced[offset]
    assert message.key() == outcome.key(bad)
    assert message.headers() == [("content-type", CONTENT_TYPE.encode())]
    assert orjson.loads(message.value() or b"")["type"] == "dead-letter"
    assert outcome.data(message) == {
        "id": letter.id,
        "topic": outcome.topic,
        "partition": 0,
        "offset": offset,
        "eventType": bad.type,
        "reason": bad.reason,
        "errors": letter.errors,
    }


def test_each_dead_letter_is_announced_once(outcome: Outcome) -> None:
    assert len(outcome.read_announced()) == len(outcome.letters)


@pytest.mark.parametrize(("bad", "place"), EVERY)
def test_the_neighbours_are_applied(outcome: Outcome, bad: Bad, place: str) -> None:
    assert set(outcome.neighbours[bad.title, place]) <= outcome.versions


def test_nothing_bad_is_applied(outcome: Outcome) -> None:
    assert "bad" not in outcome.versions


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.title)
def test_commands_print_it(outcome: Outcome, bad: Bad) -> None:
    letter = outcome.letters[outcome.offsets[bad.title, "middle"]]
    shown = outcome.product.json("dead-letters", "show", str(letter.id))
    assert shown["reason"] == bad.reason
    assert shown["errors"] == letter.errors
    assert (shown["topic"], shown["partition"], shown["offset"]) == (outcome.topic, 0, letter.offset)
    every = outcome.product.json("dead-letters", "list", "--reason", bad.reason)["deadLetters"]
    (listed,) = [one for one in every if one["id"] == letter.id]
    assert listed.pop("valueBytes") == (None if bad.value is None else len(bad.value))
    assert listed == {name: value for name, value in shown.items() if name not in {"value", "valueEncoding"}}
    for_people = outcome.product.command("dead-letters", "show", str(letter.id))
    assert for_people.exit_code == 0
    assert all(error["path"] in for_people.stdout for error in letter.errors)


def test_the_id_of_an_event_that_was_applied_makes_no_event_of_a_bad_one(install: Callable[..., Product]) -> None:
    product = install()
    good = as_cloudevent(created())
    product.publish(good)
    product.run_until_caught_up()
    product.publish({**good, "data": {**good["data"], "dateReleased": 7}})
    product.run_until_caught_up()
    (stream,) = product.rows("SELECT * FROM consumer_offset WHERE applied > 0")
    assert (stream.applied, stream.duplicate, stream.dead) == (1, 0, 1)
