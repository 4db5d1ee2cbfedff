"""Events that came by a topic or record key that is not theirs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
from prometheus_client import REGISTRY

from consumer.contracts.records import Record
from consumer.intake.batch import prepare
from consumer.intake.misplaced import Misplaced
from consumer.settings import Settings
from consumer.store.streams import Stream
from tests.conformance.builders import created, group
from tests.model.cloudevents import as_cloudevent
from tests.support.logs import records_of

if TYPE_CHECKING:
    import pytest

    from consumer.contracts.events import AnyEvent
    from consumer.intake.batch import Item

STREAM = Stream(id=1, name=uuid4(), epoch=1, next_offset=0, next_seq=1)


def item(event: AnyEvent, topic: str, key: bytes | None) -> Item:
    return prepare(Record(topic, 0, 0, key, orjson.dumps(as_cloudevent(event))), STREAM, Settings())


def so_far() -> tuple[float, float]:
    by_topic, by_key = (
        REGISTRY.get_sample_value("release_consumer_misplaced_events_total", {"by": by}) or 0 for by in ("topic", "key")
    )
    return by_topic, by_key


def test_they_are_counted_and_the_first_is_told(caplog: pytest.LogCaptureFixture) -> None:
    misplaced, before = Misplaced(Settings().topics), so_far()
    misplaced.count([item(created(), "release-events", b"acme:1.0"), item(group(), "catalog-events", b"acme")])
    replayed = item(created(), "release-events", None)
    replayed.is_replay = True
    misplaced.count([replayed, prepare(Record("release-events", 0, 0, None, b"no event"), STREAM, Settings())])
    assert so_far() == before
    assert records_of(caplog, "consumer.intake") == []

    caplog.set_level(logging.INFO)
    misplaced.count([item(created(), "release-events", None), item(created(), "release-events", b"acme:2.0")])
    misplaced.count([item(created(), "catalog-events", b"acme"), item(group(), "release-events", b"acme")])
    assert [now - then for now, then in zip(so_far(), before, strict=True)] == [2, 2]
    (record,) = records_of(caplog, "consumer.intake")
    message = record.getMessage()
    assert "belongs under the record key 'acme:1.0'" in message
