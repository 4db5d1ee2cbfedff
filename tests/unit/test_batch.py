"""Batches of records, some of which nobody foresaw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest

from consumer.contracts.records import Record
from consumer.intake import batch
from consumer.intake.batch import make_batch
from consumer.settings import Settings
from consumer.store.processed_events import digest_of
from consumer.store.streams import Stream
from tests.conformance.builders import created
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.intake.batch import Item


@pytest.mark.parametrize("step", ["open_event", "check_event", "plan"])
def test_what_nobody_foresaw_is_put_away_and_its_neighbours_are_not(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = getattr(batch, step)
    calls = iter(range(3))

    def fails_once(*args: Any, **options: Any) -> Any:
        if next(calls) == 1:
            message = "nobody foresaw it " * 100
            raise RuntimeError(message)
        return real(*args, **options)

    monkeypatch.setattr(batch, step, fails_once)
    stream = Stream(1, uuid4(), epoch=1, next_offset=0, next_seq=1)
    values = [orjson.dumps(as_cloudevent(created(version=f"{number}.0"))) for number in range(3)]
    records = [(stream, Record("release-events", 0, offset, None, value)) for offset, value in enumerate(values)]

    first, bad, last = make_batch(records, {1: 0}, Settings()).items

    assert first.plan is not None
    assert last.plan is not None
    assert (bad.plan, bad.digest) == (None, None), "the same may come again"
    assert bad.error is not None
    assert bad.error.reason == "cannot-be-applied"
    assert len(bad.error.violations[0].message) <= 500


EVENT = as_cloudevent(created(version="1.0"))
DIGEST = digest_of(EVENT["source"], EVENT["id"])
MISLEADING = {"data": EVENT["data"] | {"id": "of something else"}, **{n: v for n, v in EVENT.items() if n != "data"}}


def recognized(record: Record, seen: dict[str, str | None]) -> tuple[Item, list[set[str]]]:
    """The item of a record where these events were seen before, and which ids were asked for."""
    asked: list[set[str]] = []

    def find_known(digests: set[str]) -> dict[str, str | None]:
        asked.append(digests)
        return {digest: seen[digest] for digest in digests & seen.keys()}

    stream = Stream(1, uuid4(), epoch=1, next_offset=0, next_seq=1)
    (item,) = make_batch([(stream, record)], {1: 0}, Settings(), find_known).items
    return item, asked


def test_a_record_that_came_before_byte_for_byte_is_known_without_being_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record("release-events", 0, 7, b"key", orjson.dumps(EVENT), [("content-type", b"application/json")])
    monkeypatch.setattr(batch, "open_event", None)
    item, asked = recognized(record, {DIGEST: record.fingerprint})
    assert (item.is_known, item.digest, item.error, asked) == (True, DIGEST, None, [{DIGEST}])


@pytest.mark.parametrize("fingerprint", [None, "0" * 32])
def test_an_event_that_is_sent_again_in_other_bytes_is_known_by_its_id(fingerprint: str | None) -> None:
    item, _ = recognized(Record("release-events", 0, 7, None, orjson.dumps(EVENT)), {DIGEST: fingerprint})
    assert (item.is_known, item.digest, item.error) == (True, DIGEST, None)


def test_what_is_no_event_is_none_whoever_had_its_id() -> None:
    value = orjson.dumps(EVENT | {"data": {}})
    item, _ = recognized(Record("release-events", 0, 7, None, value), {DIGEST: "0" * 32})
    assert not item.is_known
    assert item.error is not None


def test_a_guess_at_the_id_that_is_wrong_misleads_nobody() -> None:
    wrong = digest_of(EVENT["source"], "of something else")
    value = orjson.dumps(MISLEADING)
    item, asked = recognized(Record("release-events", 0, 7, None, value), {wrong: "0" * 32})
    assert (item.is_known, item.digest, asked) == (False, DIGEST, [{wrong}, {DIGEST}])
    item, asked = recognized(Record("release-events", 0, 7, None, value), {DIGEST: "0" * 32})
    assert (item.is_known, item.digest, asked) == (True, DIGEST, [{wrong}, {DIGEST}])


def test_an_event_in_binary_mode_is_glimpsed_in_its_headers() -> None:
    headers = [(f"ce_{name}", str(EVENT[name]).encode()) for name in ("specversion", "id", "source", "type")]
    record = Record("release-events", 0, 7, None, orjson.dumps(EVENT["data"]), headers)
    item, asked = recognized(record, {DIGEST: record.fingerprint})
    assert (item.is_known, asked) == (True, [{DIGEST}])


def test_a_fingerprint_tells_headers_from_value() -> None:
    records = [
        Record("t", 0, 0, None, value, headers)
        for value, headers in [(None, []), (b"", []), (b"ab", []), (b"a", [("b", b"")]), (b"", [("a", b"b")])]
    ]
    assert len({record.fingerprint for record in records}) == len(records)
    again = Record("another", 5, 9, b"key", b"a", [("b", b"")])
    assert again.fingerprint == records[3].fingerprint, "it is about what a record says, not where it is"
