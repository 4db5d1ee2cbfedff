"""Decoding: both CloudEvents modes, every reason of refusal, and the typed events."""

from __future__ import annotations

from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.contracts import (
    ABSENT,
    Actor,
    CommitData,
    CommitsPushed,
    Description,
    ExternalIssueData,
    GroupUpdated,
    OrganizationUpdated,
    ProjectUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
    ResolutionData,
    decode,
    describe,
    is_version,
    validate,
)
from consumer.contracts.schemas import event_types
from consumer.contracts.timestamps import parse_timestamp
from consumer.contracts.validation import MAX_VIOLATIONS
from consumer.errors import InvalidEvent
from tests.support.pictures import picture

MAX_BYTES = 1024 * 1024
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
PROJECT = {"organization": "acme", "project": "web"}
RELEASE = {"organization": "acme", "version": "1"}
ATTRIBUTES: Any = {"id": "1", "source": "/ci", "organization": "acme"}


def event(type_: str, data: Any, **attributes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": "1", "source": "/ci", "type": type_, **attributes, "data": data}


def decoded(type_: str, data: Any, **attributes: Any) -> Any:
    return decode(orjson.dumps(event(type_, data, **attributes)), None, max_bytes=MAX_BYTES)


def refused(value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None) -> tuple[str, dict[str, str]]:
    with pytest.raises(InvalidEvent) as refusal:
        decode(value, headers, max_bytes=MAX_BYTES)
    return refusal.value.reason, {violation.path: violation.message for violation in refusal.value.violations}


def headers(**attributes: bytes | None) -> list[tuple[str, bytes | None]]:
    named = {"specversion": b"1.0", "id": b"1", "source": b"/ci", "type": b"project-updated", **attributes}
    return [(f"ce_{name}", value) for name, value in named.items()]


class TestModes:
    @pytest.mark.parametrize(
        "content_type",
        [None, b"application/cloudevents+json", b"Application/CloudEvents+JSON; charset=UTF-8", b"application/json"],
    )
    def test_structured(self, content_type: bytes | None) -> None:
        value = orjson.dumps(event("project-updated", PROJECT))

        found = decode(value, [("content-type", content_type), ("trace", b"\xff")], max_bytes=MAX_BYTES)

        assert found == ProjectUpdated(id="1", source="/ci", organization="acme", project="web")

    def test_structured_ignores_attributes_in_headers(self) -> None:
        value = orjson.dumps(event("project-updated", PROJECT))
        mixed = [*headers(id=b"other"), ("content-type", b"application/cloudevents+json")]

        assert decode(value, mixed, max_bytes=MAX_BYTES).id == "1"

    def test_binary(self) -> None:
        attributes = headers(time=b"2024-05-01T14:00:00+02:00", subject="Grüße %20".encode(), extension=b"x")

        found = decode(orjson.dumps(PROJECT), [*attributes, ("content-type", b"application/json")], max_bytes=MAX_BYTES)

        assert found == ProjectUpdated(
            id="1", source="/ci", time=NOON, subject="Grüße %20", organization="acme", project="web"
        )

    def test_binary_takes_the_last_of_a_repeated_header(self) -> None:
        repeated = [*headers(id=b"first"), ("ce_id", b"last")]

        assert decode(orjson.dumps(PROJECT), repeated, max_bytes=MAX_BYTES).id == "last"

    def test_binary_names_data_and_attributes_alike(self) -> None:
        assert refused(b'{"project": "web"}', headers(id=None, time=b"?")) == (
            "schema",
            {
                "$.id": "is required",
                "$.time": "must be an RFC 3339 date and time such as 2024-05-01T12:00:00Z",
                "$.data.organization": "is required",
            },
        )


class TestReasons:
    def test_tombstone(self) -> None:
        assert refused(None, headers()) == ("tombstone", {"$": "has no value"})

    def test_too_large(self) -> None:
        assert refused(b" " * (MAX_BYTES + 1)) == ("too-large", {"$": f"has more than {MAX_BYTES} bytes"})

    @pytest.mark.parametrize("value", [b"", b"nope", b'{"a":', b'{"a": NaN}', b'{"a": "\xff"}', b'"\0"', b"[" * 5000])
    def test_not_json(self, value: bytes) -> None:
        reason, violations = refused(value)

        assert (reason, list(violations)) == ("not-json", ["$"])

    def test_data_of_binary_mode_is_not_json(self) -> None:
        reason, violations = refused(b"nope", headers())

        assert (reason, list(violations)) == ("not-json", ["$.data"])

    @pytest.mark.parametrize("value", [b"[]", b"null", b"7", b'"text"'])
    def test_no_object_is_no_cloudevent(self, value: bytes) -> None:
        assert refused(value) == ("not-a-cloudevent", {"$": "must be a JSON object"})

    def test_object_without_specversion_is_no_cloudevent(self) -> None:
        assert refused(b"{}") == (
            "not-a-cloudevent",
            {"$.type": "is required", "$.specversion": "is required", "$.id": "is required", "$.source": "is required"},
        )

    @pytest.mark.parametrize(
        "content_type",
        [b"application/cloudevents+avro", b"application/cloudevents-batch+json", b"application/cloudevents\xff"],
    )
    def test_other_event_format_is_no_cloudevent(self, content_type: bytes) -> None:
        reason, violations = refused(orjson.dumps(event("project-updated", PROJECT)), [("content-type", content_type)])

        assert reason == "not-a-cloudevent"
        assert violations["$"].endswith("; only application/cloudevents+json is read")

    def test_header_that_is_not_utf_8(self) -> None:
        assert refused(orjson.dumps(PROJECT), headers(id=b"\xed\xa0\x80")) == (
            "not-a-cloudevent",
            {"$.id": "is not UTF-8"},
        )

    def test_nul_comes_with_the_other_errors(self) -> None:
        value = orjson.dumps(event("project-updated", {"organization": "a\0", "x": {"odd key": ["\0"]}}))

        assert refused(value) == (
            "nul",
            {
                '$.data.x["odd key"][0]': "contains a NUL character",
                "$.data.organization": "must be ASCII letters, digits, '-' and '_', and not only digits",
                "$.data.project": "is required",
            },
        )

    def test_nul_in_header(self) -> None:
        assert refused(orjson.dumps(PROJECT), headers(source=b"a\0b")) == (
            "nul",
            {"$.source": "contains a NUL character"},
        )

    def test_escaped_backslash_before_u0000_is_no_nul(self) -> None:
        found = decoded("project-updated", {**PROJECT, "name": "\\u0000"})

        assert found.name == "\\u0000"

    def test_unknown_type(self) -> None:
        reason, violations = refused(orjson.dumps(event("release-renamed", {})))

        assert reason == "unknown-type"
        assert violations["$.type"].startswith("is not a known type; known are commits-pushed, ")

    @pytest.mark.parametrize("type_", [None, 7, [], {}])
    def test_type_that_is_no_text(self, type_: Any) -> None:
        reason, violations = refused(orjson.dumps(event(type_, PROJECT)))

        assert (reason, list(violations)) == ("schema", ["$.type"])

    def test_rule_is_what_the_schema_cannot_say(self) -> None:
        commits = [{"id": "1"}, {"id": "2", "timestamp": "2023-02-29T00:00:00Z"}]
        value = orjson.dumps(event("commits-pushed", {"organization": "acme", "version": "1", "commits": commits}))

        assert refused(value) == (
            "rule",
            {"$.data.commits[1].timestamp": "is a date and time that no calendar has, or outside the years 1 to 9999"},
        )

    def test_errors_are_listed_up_to_a_bound(self) -> None:
        data = {"organization": "acme", "version": "1", "commits": [0] * 100_000}

        with pytest.raises(InvalidEvent) as refusal:
            decoded("commits-pushed", data)

        assert len(refusal.value.violations) == MAX_VIOLATIONS + 1
        assert str(refusal.value.violations[0]) == "$.data.commits[0]: must be an object"
        assert str(refusal.value.violations[-1]) == "$: has more errors than these 1000; the rest is not listed"


class TestTypedEvents:
    def test_release_created(self) -> None:
        data = {
            "organization": "acme",
            "version": " 1 ",
            "projects": ["web"],
            "ref": "v1",
            "url": "https://example.com",
            "dateReleased": "2024-05-01T12:00:00Z",
            "dateStarted": "2024-05-01 12:00",
            "owner": "ada@example.com",
            "status": "archived",
            "commits": [{"id": "1"}],
            "refs": [
                {"repository": "r", "commit": "a..b", "previousCommit": "ignored"},
                {"repository": "r", "commit": "c", "previousCommit": "d"},
                {"repository": "r", "commit": "e", "previousCommit": " "},
            ],
        }

        found = decoded("release-created", data, time="2024-05-01T12:00:00Z", subject=" 1 ")

        assert found == ReleaseCreated(
            id="1",
            source="/ci",
            time=NOON,
            subject=" 1 ",
            organization="acme",
            version=" 1 ",
            projects=["web"],
            ref="v1",
            url="https://example.com",
            date_released=NOON,
            date_started=NOON,
            owner="ada@example.com",
            status="archived",
            commits=[CommitData("1")],
            refs=[RefData("r", "b", "a"), RefData("r", "c", "d"), RefData("r", "e", None)],
        )
        assert found.key == "acme: 1 "

    def test_blank_is_none_where_a_blank_says_nothing(self) -> None:
        found = decoded(
            "release-created",
            {"organization": "acme", "version": "1", "projects": ["web"], "ref": "", "url": " ", "owner": "\t"},
        )

        assert (found.ref, found.url, found.owner) == (None, None, None)

    def test_commits(self) -> None:
        commits = [
            {
                "id": "1",
                "repository": "r",
                "message": " m\n",
                "author_name": "",
                "author_email": "",
                "timestamp": "2024-05-01T14:00:00+02:00",
                "patch_set": [{"path": "a b", "type": "D"}],
            },
            {
                "id": "2",
                "repository": None,
                "message": None,
                "author_name": None,
                "author_email": None,
                "timestamp": None,
                "patch_set": None,
            },
            {"id": "3", "repository": " "},
        ]

        found = decoded("commits-pushed", {"organization": "acme", "version": "1", "commits": commits})

        assert found == CommitsPushed(
            id="1",
            source="/ci",
            organization="acme",
            version="1",
            commits=[
                CommitData("1", "r", " m\n", "", "", NOON, [("a b", "D")]),
                CommitData("2", None, "", None, None, None, []),
                CommitData("3", None, None, None, None, None, []),
            ],
        )

    def test_release_updated(self) -> None:
        dated = {"dateReleased": "2024-05-01T12:00:00", "status": "open"}

        found = decoded("release-updated", {**RELEASE, **dated, "ref": "v1", "url": "https://example.com"})

        assert found == ReleaseUpdated(
            **ATTRIBUTES, version="1", ref="v1", url="https://example.com", date_released=NOON, status="open"
        )
        assert found.key == "acme:1"

    def test_release_updated_says_nothing_where_blank(self) -> None:
        found = decoded("release-updated", {**RELEASE, "ref": " ", "url": "", "dateReleased": None})

        assert found == ReleaseUpdated(**ATTRIBUTES, version="1")

    def test_release_deployed(self) -> None:
        data = {
            **RELEASE,
            "environment": " prod ",
            "projects": ["web"],
            "name": "d",
            "url": "https://example.com",
            "dateStarted": "2024-05-01T12:00:00Z",
            "dateFinished": "2024-05-01T12:00:00Z",
        }

        assert decoded("release-deployed", data) == ReleaseDeployed(
            **ATTRIBUTES,
            version="1",
            environment=" prod ",
            projects=["web"],
            name="d",
            url="https://example.com",
            date_started=NOON,
            date_finished=NOON,
        )
        assert decoded("release-deployed", {**RELEASE, "environment": "e", "name": ""}) == ReleaseDeployed(
            **ATTRIBUTES, version="1", environment="e"
        )

    def test_release_deleted(self) -> None:
        assert decoded("release-deleted", RELEASE) == ReleaseDeleted(**ATTRIBUTES, version="1")

    def test_organization_updated(self) -> None:
        data = {
            "organization": "acme",
            "name": "Acme",
            "defaultRole": "owner",
            "avatarType": "upload",
            "avatar": b64encode(picture()).decode(),
            "color": "4674CA",
            "projectRateLimit": 75.0,
            "dataScrubber": False,
            "safeFields": ["a"],
            "relayPiiConfig": "{}",
            "trustedRelays": [{"name": "r", "publicKey": "k", "created": "ignored"}],
            "openMembership": False,
            "future": 1,
            "actor": {"name": "Ada"},
        }

        found = decoded("organization-updated", data)

        assert found == OrganizationUpdated(
            **ATTRIBUTES,
            options={
                "projectRateLimit": 75,
                "dataScrubber": False,
                "safeFields": ["a"],
                "relayPiiConfig": "{}",
                "trustedRelays": [{"name": "r", "publicKey": "k", "description": None}],
            },
            flags={"openMembership": False},
            name="Acme",
            default_role="owner",
            avatar_type="upload",
            avatar=picture(),
            color="#4674ca",
            actor=Actor("Ada", None),
        )
        assert found.key == "acme"
        assert type(found.options["projectRateLimit"]) is int

    def test_organization_updated_tells_a_given_null_from_an_absent_option(self) -> None:
        found = decoded(
            "organization-updated", {"organization": "acme", "relayPiiConfig": "", "color": "", "name": " "}
        )

        assert found == OrganizationUpdated(**ATTRIBUTES, options={"relayPiiConfig": None})

    @pytest.mark.parametrize("actor", [{}, {"name": " ", "email": None}, None])
    def test_an_actor_without_name_and_address_is_nobody(self, actor: dict[str, str | None] | None) -> None:
        found = decoded("organization-updated", {"organization": "acme", "actor": actor})

        assert found == OrganizationUpdated(**ATTRIBUTES)

    def test_project_updated(self) -> None:
        found = decoded("project-updated", {**PROJECT, "name": " ", "platform": "python"})

        assert found == ProjectUpdated(id="1", source="/ci", organization="acme", project="web", platform="python")
        assert found.key == "acme"

    def test_group_updated(self) -> None:
        data = {
            **PROJECT,
            "shortId": "web-1z",
            "title": "t",
            "status": "ignored",
            "inbox": "new",
            "firstRelease": "1",
            "resolution": {"type": "in_release", "release": "2"},
            "externalIssues": [{"provider": "jira", "key": "K", "url": ""}],
            "actor": {"name": "Ada"},
        }

        assert decoded("group-updated", data) == GroupUpdated(
            id="1",
            source="/ci",
            organization="acme",
            project="web",
            short_id="WEB-1Z",
            title="t",
            status="ignored",
            inbox="new",
            first_release="1",
            resolution=ResolutionData("in_release", "2"),
            external_issues=[ExternalIssueData("jira", "K")],
            actor=Actor("Ada", None),
        )

    def test_group_updated_tells_absent_from_null(self) -> None:
        absent = decoded("group-updated", {**PROJECT, "shortId": "WEB-1"})
        null = decoded("group-updated", {**PROJECT, "shortId": "WEB-1", "inbox": None, "externalIssues": []})

        assert (absent.inbox, absent.external_issues) == (ABSENT, None)
        assert (null.inbox, null.external_issues) == (None, [])

    @pytest.mark.parametrize("number", ["7", 7, 7.0])
    def test_pull_request_merged(self, number: object) -> None:
        data = {"organization": "acme", "repository": "r", "number": number, "mergeCommitSha": "1", "author_email": ""}

        assert decoded("pull-request-merged", data) == PullRequestMerged(
            id="1", source="/ci", organization="acme", repository="r", number="7", merge_commit_sha="1", author_email=""
        )


class TestTimestamps:
    @pytest.mark.parametrize(
        "text",
        [
            "2024-05-01T12:00:00Z",
            "2024-05-01t12:00:00z",
            "2024-05-01 12:00",
            "2024-05-01T12:00:00",
            "2024-05-01T12:00:00.0000009Z",
            "2024-05-01T07:00:00.0-0500",
            "2024-05-01T13:00+01",
            "2024-05-01T11:59:60Z",
        ],
    )
    def test_the_same_instant_in_many_ways(self, text: str) -> None:
        assert parse_timestamp(text) == NOON
        assert parse_timestamp(text).tzinfo is UTC

    @pytest.mark.parametrize(
        "text", ["9999-12-31T23:59:60Z", "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "2024-04-31T00:00Z"]
    )
    def test_instants_that_cannot_be_kept(self, text: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse_timestamp(text)


class TestDescribe:
    def test_says_what_can_be_read(self) -> None:
        assert describe(b'{"type": "x\\u0000\\ud800", "id": 7, "source": "/ci", "n": NaN}', None) == Description(
            type="x\ufffd\ufffd", id=None, source="/ci"
        )

    def test_reads_headers_of_a_record_without_value(self) -> None:
        assert describe(None, headers(id=None)) == Description(type="project-updated", id=None, source="/ci")

    def test_cuts_what_is_long(self) -> None:
        assert describe(b'{"type": "%b"}' % (b"x" * 1000), None) == Description(type="x" * 255)

    def test_leaves_a_value_beyond_the_bound_alone(self) -> None:
        assert describe(b'{"type": "x"}', None, max_bytes=5) == Description()


def test_lone_surrogates_are_named_and_hide_no_other_error() -> None:
    value = rb'{"specversion":"1.0","id":"1","source":"/ci","type":"project-updated","data":{"organization":"\ud800"}}'

    with pytest.raises(InvalidEvent) as caught:
        decode(value, None, max_bytes=1000)
    assert caught.value.reason == "not-json"
    assert [violation.path for violation in caught.value.violations] == [
        "$.data.organization",
        "$.data.project",
        "$.data.organization",
    ]


def test_validate_names_lone_surrogates() -> None:
    document = event("project-updated", {"organization": "\ud800", "\udfff": 1})

    assert [str(violation) for violation in validate(document)] == [
        "$.data: has a field whose name contains a lone surrogate, which is not Unicode text",
        "$.data.organization: contains a lone surrogate, which is not Unicode text",
    ]


@given(st.text(max_size=12) | st.sampled_from([" latest", "LATEST\u3000", "\x1c.\x85", "..", "1 2", "\u200b"]))
def test_is_version_follows_strip_and_lower(text: str) -> None:
    allowed = text.strip().lower() not in {"", ".", "..", "latest"} and not set("\n\r\t\f/\\\0") & set(text)

    assert is_version(text) == allowed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *("organization", "version", "projects", "project", "commits", "refs", "shortId", "number", "actor"),
        *("resolution", "environment", "dateFinished", "avatar", "relayPiiConfig", "trustedRelays", "apdexThreshold"),
    ]
)
TYPES = st.sampled_from(event_types())
COMMIT = st.dictionaries(st.sampled_from(["id", "timestamp", "patch_set", "message", "repository"]), JSON)
DATA = st.dictionaries(FIELDS, JSON | st.lists(COMMIT, max_size=3))
DOCUMENTS = JSON | st.builds(event, TYPES | JSON, JSON | DATA, time=JSON)
VALUES = st.none() | st.binary() | DOCUMENTS.map(orjson.dumps)
NAMES = st.sampled_from(["content-type", "ce_type", "ce_id", "ce_specversion", "ce_data", "ce_"]) | st.text(max_size=8)
CONTENT_TYPES = st.sampled_from([b"application/cloudevents+json", b"application/cloudevents+xml", b"project-updated"])
HEADERS = st.none() | st.lists(st.tuples(NAMES, st.none() | st.binary(max_size=8) | CONTENT_TYPES), max_size=5)


@given(VALUES, HEADERS)
@example(b'{"type": "x", "specversion": "\\u0000"}', [])
def test_whatever_comes_in_is_an_event_or_invalid(
    value: bytes | None, record_headers: list[tuple[str, bytes | None]] | None
) -> None:
    describe(value, record_headers)
    with suppress(InvalidEvent):
        decode(value, record_headers, max_bytes=MAX_BYTES)


@pytest.mark.parametrize("levels", [255, 256, 1000])
@pytest.mark.parametrize("field", ["organization", "version", "commits"])
def test_an_error_in_something_nested_very_deeply_is_an_error_like_others(field: str, levels: int) -> None:
    template = orjson.dumps(event("commits-pushed", {**RELEASE, "projects": ["web"], field: "deep"}))
    value = template.replace(b'"deep"', b"[" * levels + b"]" * levels)

    with pytest.raises(InvalidEvent) as caught:
        decode(value, None, max_bytes=MAX_BYTES)
    assert caught.value.reason == "schema"
    assert caught.value.violations


def test_names_and_values_of_megabytes_are_cut_in_what_is_said_of_them() -> None:
    """Each error names its place: of a hostile event that would be any number of megabytes, times 1000."""
    name, id_ = "n" * 500_000, "i" * 500_000
    data = {**RELEASE, "projects": ["web"], "commits": [{"id": id_}, {"id": id_}], name: {"a": "\0", "b": ["\0"]}}

    with pytest.raises(InvalidEvent) as caught:
        decode(orjson.dumps(event("commits-pushed", data)), None, max_bytes=10 * MAX_BYTES)
    violations = caught.value.violations
    assert {violation.path[:10] for violation in violations} == {'$.data["nn', "$.data.com"}
    assert max(len(violation.path) + len(violation.message) for violation in violations) < 1100
