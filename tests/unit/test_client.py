"""Records of a publisher: where an event goes, under which key, and what is filled in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumer.client import to_record
from consumer.contracts import decode
from consumer.errors import InvalidEvent
from consumer.settings import Settings

SETTINGS = Settings(max_event_bytes=1024)


def event(type_: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/ci",
        "type": type_,
        "data": {"organization": "acme", **data},
    }


@pytest.mark.parametrize(
    ("document", "topic", "key", "subject"),
    [
        (event("release-created", version="1:ü", projects=["web"]), "release-events", "acme:1:ü", "1:ü"),
        (event("commits-pushed", version="1", commits=[]), "release-events", "acme:1", "1"),
        (event("project-updated", project="web"), "catalog-events", "acme", "acme"),
        (event("group-updated", project="web", shortId="web-1"), "catalog-events", "acme", "WEB-1"),
        (event("pull-request-merged", repository="r", number=1, mergeCommitSha="a"), "catalog-events", "acme", "acme"),
    ],
)
def test_topic_key_and_subject(document: dict[str, Any], topic: str, key: str, subject: str) -> None:
    record = to_record(document, SETTINGS)
    sent = decode(record.value, None, max_bytes=SETTINGS.max_event_bytes)

    assert (record.topic, record.key.decode(), sent.subject) == (topic, key, subject)
    assert sent.time is not None


def test_time_and_subject_that_are_given_stay() -> None:
    document = {**event("project-updated", project="web"), "time": "2024-05-01T12:00:00Z", "subject": "mine"}

    assert orjson.loads(to_record(document, SETTINGS).value) == document


def test_invalid_event_is_refused_with_every_violation() -> None:
    with pytest.raises(InvalidEvent) as refusal:
        to_record(event("release-created", version="latest", projects=[]), SETTINGS)

    assert refusal.value.reason == "schema"
    assert {violation.path for violation in refusal.value.violations} == {"$.data.projects", "$.data.version"}


def test_event_larger_than_consumers_take_is_refused() -> None:
    with pytest.raises(InvalidEvent) as refusal:
        to_record(event("release-created", version="1", projects=["web"], note="x" * 1024), SETTINGS)

    assert refusal.value.reason == "too-large"


def test_text_that_is_no_unicode_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidEvent) as refusal:
        to_record(event("project-updated", project="web", name="\ud800"), SETTINGS)

    assert refusal.value.reason == "not-json"
    assert [violation.path for violation in refusal.value.violations] == ["$.data.name"]


def test_value_that_json_does_not_have_is_refused() -> None:
    with pytest.raises(InvalidEvent) as refusal:
        to_record(event("project-updated", project="web", future={1, 2}), SETTINGS)

    assert refusal.value.reason == "not-json"
