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
from consumer.store.streams import Stream
from tests.conformance.builders import created
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Callable


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
