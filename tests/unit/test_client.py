"""Records of a publisher: where an event goes, under which key, and what is filled in."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, get_type_hints

import orjson
import pytest

from consumer.client import (
    Actor,
    CommitData,
    Document,
    Documents,
    ExternalIssueData,
    OrganizationFlags,
    OrganizationOptions,
    Publisher,
    RefData,
    ResolutionData,
    to_record,
)
from consumer.contracts import AnyEvent, OrganizationUpdated, decode
from consumer.contracts.organization_options import FLAGS, OPTIONS
from consumer.contracts.schemas import event_types
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError
from consumer.settings import Settings
from tests.support.pictures import picture

if TYPE_CHECKING:
    from pathlib import Path

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
        (event("release-updated", version="1"), "release-events", "acme:1", "1"),
        (event("release-deployed", version="1", environment="e"), "release-events", "acme:1", "1"),
        (event("release-deleted", version="1"), "release-events", "acme:1", "1"),
        (event("organization-updated"), "catalog-events", "acme", "acme"),
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


NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
MAKE = Documents("/ci")
COMMITS = [
    CommitData("1", "r", "m", "Ada", "a@example.com", NOON, [("a", "A")]),
    CommitData("2", message="", author_email=""),
]
REFS = [RefData("r", "b", "a"), RefData("r", "c")]
PERSON = Actor("Ada", "a@example.com")
FULL = {
    "release-created": MAKE.release_created(
        organization="acme",
        version=" 1 ",
        projects=("web",),
        ref="v1",
        url="https://example.com",
        date_released=NOON,
        date_started=NOON,
        owner="a@example.com",
        status="archived",
        commits=COMMITS,
        refs=REFS,
        time=NOON,
        event_id="e",
    ),
    "commits-pushed": MAKE.commits_pushed(
        organization="acme", version="1", commits=COMMITS, projects=["web"], refs=REFS, replace="repositories"
    ),
    "release-updated": MAKE.release_updated(
        organization="acme", version="1", ref="v1", url="https://example.com", date_released=NOON, status="open"
    ),
    "release-deployed": MAKE.release_deployed(
        organization="acme",
        version="1",
        environment="production",
        projects=["web"],
        name="d",
        url="https://example.com",
        date_started=NOON,
        date_finished=NOON,
    ),
    "release-deleted": MAKE.release_deleted(organization="acme", version="1"),
    "organization-updated": MAKE.organization_updated(
        organization="acme",
        name="Acme",
        default_role="manager",
        options={"projectRateLimit": 50, "relayPiiConfig": None, "trustedRelays": [{"name": "r", "publicKey": "k"}]},
        flags={"require2FA": True},
        avatar_type="upload",
        avatar=picture(),
        color="#4674ca",
        actor=PERSON,
    ),
    "project-updated": MAKE.project_updated(organization="acme", project="web", name="Web", platform="python"),
    "group-updated": MAKE.group_updated(
        organization="acme",
        project="web",
        short_id="WEB-1",
        title="t",
        status="resolved",
        inbox=None,
        first_release="1",
        resolution=ResolutionData("in_release", "2"),
        external_issues=[ExternalIssueData("jira", "K", "https://example.com"), ExternalIssueData("jira", "L")],
        actor=PERSON,
    ),
    "pull-request-merged": MAKE.pull_request_merged(
        organization="acme",
        repository="r",
        number=7,
        merge_commit_sha="a",
        title="t",
        message="m",
        author_name="Ada",
        author_email="a@example.com",
    ),
}
LEAST = {
    "release-created": MAKE.release_created(organization="acme", version="1", projects=["web"]),
    "commits-pushed": MAKE.commits_pushed(organization="acme", version="1", commits=[]),
    "release-updated": MAKE.release_updated(organization="acme", version="1"),
    "release-deployed": MAKE.release_deployed(organization="acme", version="1", environment="e"),
    "release-deleted": MAKE.release_deleted(organization="acme", version="1"),
    "organization-updated": MAKE.organization_updated(organization="acme"),
    "project-updated": MAKE.project_updated(organization="acme", project="web"),
    "group-updated": MAKE.group_updated(organization="acme", project="web", short_id="WEB-1"),
    "pull-request-merged": MAKE.pull_request_merged(
        organization="acme", repository="r", number="7", merge_commit_sha="a"
    ),
}


def read(document: Document) -> AnyEvent:
    return decode(orjson.dumps(document), None, max_bytes=1024 * 1024)


def test_every_event_type_has_a_method() -> None:
    assert FULL.keys() == LEAST.keys() == set(event_types())


@pytest.mark.parametrize("type_", FULL)
def test_typed_arguments_arrive(type_: str) -> None:
    full, least = read(FULL[type_]), read(LEAST[type_])

    assert (full.type, full.source) == (type_, "/ci")
    optional = {field.name for field in fields(least) if has_default(field)} - {"time", "subject"}
    assert {name for name in optional if getattr(full, name) != getattr(least, name)} == optional


def has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def test_commits_and_refs_arrive_as_they_are() -> None:
    found = read(FULL["release-created"])

    assert (getattr(found, "commits"), getattr(found, "refs")) == (COMMITS, REFS)  # noqa: B009
    assert (found.id, found.time) == ("e", NOON)


def test_options_and_flags_arrive_by_their_api_names() -> None:
    found = read(FULL["organization-updated"])

    assert isinstance(found, OrganizationUpdated)
    assert found.options == {
        "projectRateLimit": 50,
        "relayPiiConfig": None,
        "trustedRelays": [{"name": "r", "publicKey": "k", "description": None}],
    }
    assert (found.flags, found.avatar) == ({"require2FA": True}, picture())


def test_options_and_flags_are_those_of_the_catalogue() -> None:
    assert get_type_hints(OrganizationOptions).keys() == OPTIONS.keys()
    assert get_type_hints(OrganizationFlags).keys() == FLAGS.keys()


def test_the_same_said_again_is_the_same_event() -> None:
    again = Documents("/ci").release_deployed(organization="acme", version="1", environment="e")

    assert again["id"] == LEAST["release-deployed"]["id"]


def test_another_source_content_or_time_is_another_event() -> None:
    said: dict[str, Any] = {"organization": "acme", "version": "1", "environment": "e"}
    ids = {
        MAKE.release_deployed(**said)["id"],
        MAKE.release_deployed(**said, time=NOON)["id"],
        MAKE.release_deployed(**said, time=NOON + timedelta(seconds=1))["id"],
        MAKE.release_deployed(**said | {"environment": "f"})["id"],
        Documents("/other").release_deployed(**said)["id"],
        MAKE.release_deployed(**said, event_id="mine")["id"],
    }

    assert len(ids) == 6


@pytest.mark.parametrize(
    "moment",
    [
        NOON,
        NOON.replace(tzinfo=None),
        NOON.astimezone(timezone(timedelta(hours=2))),
        NOON.astimezone(timezone(timedelta(minutes=53, seconds=28))),
    ],
)
def test_moment_is_written_in_utc(moment: datetime) -> None:
    document = MAKE.release_updated(organization="acme", version="1", date_released=moment)

    assert document["data"]["dateReleased"] == "2024-05-01T12:00:00Z"


def test_publisher_without_a_server_says_what_to_set(tmp_path: Path) -> None:
    nowhere = {"kafka_bootstrap_servers": None, "stack_data": tmp_path / "no-stack"}
    with pytest.raises(UsageError, match="set RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS"):
        Publisher(SETTINGS.model_copy(update=nowhere))


def test_typed_method_refuses_what_consumers_would_refuse() -> None:
    publisher = Publisher(SETTINGS, "127.0.0.1:1")

    with pytest.raises(InvalidEvent) as refusal:
        publisher.release_created(organization="acme", version="latest", projects=[])

    assert {violation.path for violation in refusal.value.violations} == {"$.data.projects", "$.data.version"}


@pytest.mark.parametrize("method", ["release_created", "commits_pushed", "release_deployed"])
def test_a_text_is_no_list_of_projects(method: str) -> None:
    more: dict[str, dict[str, Any]] = {
        "commits_pushed": {"commits": []},
        "release_deployed": {"environment": "production"},
    }
    with pytest.raises(TypeError, match=r"^must be a list, such as \['web'\], got the text 'web'$"):
        getattr(Documents("/ci"), method)(organization="acme", version="1", projects="web", **more.get(method, {}))


def test_text_that_is_no_unicode_is_refused_by_typed_methods_too() -> None:
    with pytest.raises(InvalidEvent) as refusal:
        Publisher(SETTINGS, "127.0.0.1:1").project_updated(organization="acme", project="web", name="\ud800")

    assert [violation.path for violation in refusal.value.violations] == ["$.data.name"]


def test_kafka_that_never_answers_is_given_up_on_and_the_ids_are_named() -> None:
    impatient = Settings(kafka={"delivery_timeout_ms": "300"})
    publisher = Publisher(impatient, "127.0.0.1:1")

    id_ = publisher.release_deleted(organization="acme", version="1")
    with pytest.raises(ServiceUnavailable, match=f"did not take an event .id {id_}.: .*publish again"):
        publisher.flush()

    publisher.flush()
    assert publisher.delivered == {}


def test_many_undelivered_events_are_counted() -> None:
    publisher = Publisher(Settings(kafka={"delivery_timeout_ms": "300"}), "127.0.0.1:1")

    for number in range(5):
        publisher.release_deleted(organization="acme", version=str(number), event_id=str(number))
    with pytest.raises(ServiceUnavailable, match=r"did not take 5 events \(id 0, 1, 2, \.\.\.\)"):
        publisher.flush()
