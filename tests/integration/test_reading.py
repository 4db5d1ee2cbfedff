"""What readers get of rows that were put in by SQL, and of activities on the topic."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from click.testing import CliRunner
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from consumer.cli.main import root
from consumer.contracts.organization_options import DEFAULT_FLAGS, FLAGS, OPTIONS
from consumer.errors import UsageError
from consumer.store import tables
from consumer.store.reading.dead_letters import list_dead_letters, show_dead_letter
from consumer.store.reading.groups import show_group
from consumer.store.reading.organizations import letter_color, read_picture, show_organization
from consumer.store.reading.releases import list_releases, show_release
from tests.support.direct import DirectApplier, cloudevent
from tests.support.pictures import picture
from tests.support.rows import JANUARY, JUNE, RELEASE_ID, add, add_log, add_release, count_statements, seeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from click.testing import Result
    from sqlalchemy import Connection

    from consumer.services import Services


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with seeded(database_url) as connection:
        yield connection


def add_group(connection: Connection, id_: int, short_id: str, **columns: Any) -> None:
    row = {"id": id_, "organization_id": 1, "project_id": 11, "short_id": short_id, "date_added": JANUARY}
    add(connection, tables.issue_group, row | columns)


def add_resolution(connection: Connection, group_id: int, version: str, **columns: Any) -> None:
    row = {"group_id": group_id, "version": version, "type": 0, "status": 1, "date_added": JANUARY}
    add(connection, tables.group_resolution, row | columns)


def add_dead_letters(connection: Connection, count: int) -> None:
    offset_row = {
        "id": 1,
        "consumer_group": "release-consumer",
        "cluster_id": "c",
        "topic_id": "t",
        "topic": "release-events",
        "partition": 0,
        "stream": uuid4(),
        "first_offset": 0,
        "next_offset": count,
        "frontier": count,
        "owner": "me",
        "updated_at": JANUARY,
    }
    add(connection, tables.consumer_offset, offset_row)
    rows = [
        {
            "id": number,
            "offset_id": 1,
            "topic": "release-events",
            "partition": 0,
            "offset": number,
            "record_key": b"acme:1.0",
            "headers": [["trace", "YWJj"], ["empty", None]],
            "value": b"\xff\xfe" if number == 1 else b"{}",
            "reason": "schema" if number % 2 else "not-json",
            "errors": [{"path": "$.data", "message": "is required"}],
            "event_type": "commits-pushed",
            "dead_at": JUNE,
            "arrived_at": JUNE,
        }
        for number in range(1, count + 1)
    ]
    add(connection, tables.dead_letter, *rows)


def test_a_release_as_it_is_shown(connection: Connection) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2", status=1)
    add_group(connection, 42, "WEB-10", status=1)
    add_group(connection, 43, "WEB-3", status=0)
    add_group(connection, 44, "WEB-4", status=1)
    add_group(connection, 45, "WEB-5", status=1)
    add_resolution(connection, 41, "web@1.0")
    add_resolution(connection, 42, "web@1.0")
    add_resolution(connection, 43, "web@1.0")
    add_resolution(connection, 44, "web@1.0", type=1, status=0)
    add_resolution(connection, 45, "web@2.0")

    assert show_release(connection, "acme", "web@1.0") == {
        "organization": "acme",
        "id": RELEASE_ID,
        "version": "web@1.0",
        "versionInfo": {
            "package": "web",
            "version": {
                "raw": "1.0",
                "major": 1,
                "minor": 0,
                "patch": 0,
                "revision": 0,
                "pre": None,
                "buildCode": None,
            },
        },
        "status": "open",
        "ref": "main",
        "url": "https://example.com/1.0",
        "dateCreated": "2024-01-01T00:00:00Z",
        "dateStarted": "2024-01-01T00:00:00Z",
        "dateReleased": "2024-06-01T12:30:15.250000Z",
        "owner": "ann@example.com",
        "commitCount": 3,
        "lastCommit": "c3",
        "authors": [{"name": None, "email": "bob@example.com"}, {"name": "Ann", "email": "ann@example.com"}],
        "projects": ["api", "web"],
        "commits": [
            {
                "id": "c3",
                "repository": "acme/web",
                "message": "Fixes WEB-2",
                "author": {"name": None, "email": "bob@example.com"},
                "dateCreated": "2024-06-01T12:30:15.250000Z",
                "patchSet": [{"path": "a.py", "type": "A"}, {"path": "b.py", "type": "M"}],
            },
            {
                "id": "c2",
                "repository": "acme/api",
                "message": None,
                "author": {"name": "Ann", "email": "ann@example.com"},
                "dateCreated": "2024-01-01T00:00:00Z",
                "patchSet": [],
            },
            {
                "id": "c1",
                "repository": "acme/web",
                "message": "",
                "author": None,
                "dateCreated": "2024-01-01T00:00:00Z",
                "patchSet": [],
            },
        ],
        "headCommits": [{"repository": "acme/api", "commit": "c2"}, {"repository": "acme/web", "commit": "c3"}],
        "deployCount": 3,
        "deploys": [
            {
                "environment": "production",
                "name": "blue",
                "url": "https://example.com/blue",
                "dateStarted": "2024-01-01T00:00:00Z",
                "dateFinished": "2024-06-01T12:30:15.250000Z",
            },
            {
                "environment": "",
                "name": None,
                "url": None,
                "dateStarted": None,
                "dateFinished": "2024-06-01T12:30:15.250000Z",
            },
            {
                "environment": "production",
                "name": None,
                "url": None,
                "dateStarted": None,
                "dateFinished": "2024-01-01T00:00:00Z",
            },
        ],
        "resolvedGroups": ["WEB-10", "WEB-2"],
    }


def test_a_release_without_anything(connection: Connection) -> None:
    add_release(connection, 5, "bare")
    release = show_release(connection, "acme", "bare")
    assert release["lastCommit"] is None
    assert [release[name] for name in ("dateReleased", "dateStarted", "owner", "versionInfo")] == [None] * 4
    assert [release[name] for name in ("authors", "commits", "headCommits", "deploys", "resolvedGroups")] == [[]] * 5


def test_a_listed_release_is_the_shown_one_without_log_and_groups(connection: Connection) -> None:
    add_log(connection)
    shown = show_release(connection, "acme", "web@1.0")
    del shown["commits"], shown["resolvedGroups"]
    assert list_releases(connection, "acme", "web") == {"releases": [shown], "nextCursor": None}


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[DirectApplier]:
    direct = DirectApplier(database_url, services.redis_url)
    yield direct
    direct.close()


def test_an_organization_as_events_describe_it(applier: DirectApplier, database_url: str, tmp_path: Path) -> None:
    content = picture()
    details = {"name": "Acme", "defaultRole": "admin", "projectRateLimit": 80, "safeFields": ["card"]}
    flags = {"require2FA": True, "allowMemberInvite": False}
    avatar = {"avatarType": "upload", "avatar": b64encode(content).decode(), "color": "#123abc"}
    applier.apply([cloudevent("organization-updated", **details, **flags, **avatar)])

    shown = orjson.loads(run(database_url, "organizations", "show", "acme", "--json").stdout)
    assert (shown["slug"], shown["name"], shown["defaultRole"]) == ("acme", "Acme", "admin")
    assert {field: value for field, value in shown["options"].items() if value != OPTIONS[field].default} == {
        "projectRateLimit": 80,
        "safeFields": ["card"],
    }
    assert shown["options"].keys() == OPTIONS.keys()
    assert {name: shown["flags"][name] for name in flags} == flags
    ident = shown["avatar"].pop("ident")
    assert len(ident) == 32
    assert shown["avatar"] == {"type": "upload", "fileName": "acme.png", "color": "#123abc"}

    file = tmp_path / "acme.png"
    assert run(database_url, "organizations", "avatar", "acme", "--output", str(file)).exit_code == 0
    assert file.read_bytes() == content
    assert run(database_url, "organizations", "avatar", "acme").stdout_bytes == content


def test_a_picture_that_is_not_there_leaves_no_file(connection: Connection, database_url: str, tmp_path: Path) -> None:
    connection.commit()
    file = tmp_path / "acme.png"
    result = run(database_url, "organizations", "avatar", "acme", "--output", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: organization acme has no picture; publish organization-updated with avatar\n"
    assert not file.exists()


def test_the_number_of_statements_does_not_grow(connection: Connection) -> None:
    add_log(connection)
    statements = count_statements(connection)
    list_releases(connection, "acme", "web")
    listing = len(statements)
    show_release(connection, "acme", "web@1.0")
    showing = len(statements) - listing
    for number in range(1, 30):
        add_release(connection, number, f"v{number}", authors=[31])
    statements.clear()
    list_releases(connection, "acme", "web")
    assert (len(statements), showing) == (listing, 7)


def test_what_is_not_there_is_told(connection: Connection) -> None:
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        show_release(connection, "nobody", "1.0")
    with pytest.raises(UsageError, match=r"acme has no release '1\.0'"):
        show_release(connection, "acme", "1.0")
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        list_releases(connection, "nobody", "web")
    with pytest.raises(UsageError, match="acme has no project 'ios'"):
        list_releases(connection, "acme", "ios")
    with pytest.raises(UsageError, match="no organization 'nobody'"):
        show_group(connection, "nobody", "WEB-1")
    with pytest.raises(UsageError, match="acme has no group 'WEB-1'"):
        show_group(connection, "acme", "WEB-1")
    with pytest.raises(UsageError, match="no dead letter 99"):
        show_dead_letter(connection, 99)


def test_a_group_as_it_is_shown(connection: Connection) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2", title="It breaks", status=1)
    add_resolution(connection, 41, "web@1.0", actor_name="Ann", actor_email="ann@example.com")
    add(connection, tables.group_inbox, {"group_id": 41, "reason": 2, "date_added": JANUARY})
    pull_request = {"id": 51, "organization_id": 1, "repository_id": 21, "key": "7", "merge_commit_sha": "c3"}
    add(connection, tables.pull_request, pull_request)
    add(connection, tables.external_issue, {"id": 61, "organization_id": 1, "provider": "jira", "key": "OPS-1"})
    linked = [(3, 61, 2), (2, 51, 1), (1, 101, 1), (1, 102, 1)]
    for id_, (linked_type, linked_id, relationship) in enumerate(linked):
        link = {"id": id_, "group_id": 41, "linked_type": linked_type, "linked_id": linked_id}
        add(connection, tables.group_link, link | {"relationship": relationship})
    for id_, (name, time) in enumerate([("activity.group.resolved", JUNE), ("activity.group.reviewed", JANUARY)]):
        row = {"id": id_, "event_id": uuid4(), "type": name, "organization_id": 1, "group_id": 41, "key": "acme:WEB-2"}
        row |= {"offset_id": 1, "offset": id_}
        add(connection, tables.activity, row | {"cloudevent": {"data": {"number": id_}}, "date_added": time})

    assert show_group(connection, "acme", "web-2") == {
        "organization": "acme",
        "project": "web",
        "shortId": "WEB-2",
        "title": "It breaks",
        "status": "resolved",
        "inbox": "regression",
        "resolution": {
            "release": "web@1.0",
            "type": "in_release",
            "status": "resolved",
            "actor": {"name": "Ann", "email": "ann@example.com"},
        },
        "links": [
            {"type": "commit", "id": "c2", "relationship": "resolves"},
            {"type": "commit", "id": "c3", "relationship": "resolves"},
            {"type": "pull_request", "id": "7", "relationship": "resolves"},
            {"type": "issue", "id": "OPS-1", "relationship": "references"},
        ],
        "activity": [
            {"type": "activity.group.reviewed", "data": {"number": 1}, "dateCreated": "2024-01-01T00:00:00Z"},
            {"type": "activity.group.resolved", "data": {"number": 0}, "dateCreated": "2024-06-01T12:30:15.250000Z"},
        ],
    }


def test_a_group_that_waits_for_nobody(connection: Connection) -> None:
    add_group(connection, 41, "WEB-2")
    group = show_group(connection, "acme", "WEB-2")
    assert (group["status"], group["inbox"], group["resolution"], group["links"]) == ("unresolved", None, None, [])


def test_a_resolution_without_an_actor(connection: Connection) -> None:
    add_group(connection, 41, "WEB-2", status=1)
    add_resolution(connection, 41, "web@1.0", type=1, status=0)
    resolution = {"release": "web@1.0", "type": "in_next_release", "status": "pending", "actor": None}
    assert show_group(connection, "acme", "WEB-2")["resolution"] == resolution


def test_a_dead_letter_as_it_is_shown(connection: Connection) -> None:
    add_dead_letters(connection, 2)
    assert show_dead_letter(connection, 2) == {
        "id": 2,
        "status": "dead",
        "topic": "release-events",
        "partition": 0,
        "offset": 2,
        "key": "acme:1.0",
        "keyEncoding": "utf-8",
        "headers": [["trace", "abc"], ["empty", None]],
        "headerEncodings": ["utf-8", None],
        "value": "{}",
        "valueEncoding": "utf-8",
        "reason": "not-json",
        "errors": [{"path": "$.data", "message": "is required"}],
        "eventType": "commits-pushed",
        "arrivedAt": "2024-06-01T12:30:15.250000Z",
        "deadAt": "2024-06-01T12:30:15.250000Z",
        "settledAt": None,
    }
    binary = show_dead_letter(connection, 1)
    assert (binary["value"], binary["valueEncoding"]) == ("//4=", "base64")


def test_dead_letters_are_listed_newest_first(connection: Connection) -> None:
    add_dead_letters(connection, 5)

    def ids(page: dict[str, Any]) -> list[int]:
        return [dead_letter["id"] for dead_letter in page["deadLetters"]]

    first = list_dead_letters(connection, limit=3)
    assert ids(first) == [5, 4, 3]
    assert ids(list_dead_letters(connection, limit=3, cursor=first["nextCursor"])) == [2, 1]
    assert ids(list_dead_letters(connection, reason="not-json")) == [4, 2]
    assert ids(list_dead_letters(connection, event_type="release-created")) == []
    # Values may be large: a page tells their sizes only.
    listed, shown = first["deadLetters"][1], show_dead_letter(connection, 4)
    assert listed.pop("valueBytes") == 2
    assert {"value": shown.pop("value"), "valueEncoding": shown.pop("valueEncoding")} == {
        "value": "{}",
        "valueEncoding": "utf-8",
    }
    assert listed == shown


def test_an_organization_that_nobody_described(connection: Connection) -> None:
    organization = show_organization(connection, "acme")
    assert organization["name"] is None
    assert organization["defaultRole"] == "member"
    assert organization["options"] == {field: option.default for field, option in OPTIONS.items()}
    assert organization["flags"] == {field: flag.read(DEFAULT_FLAGS) for field, flag in FLAGS.items()}
    assert organization["avatar"] == {
        "type": "letter_avatar",
        "ident": None,
        "fileName": None,
        "color": letter_color("acme"),
    }
    with pytest.raises(UsageError, match="acme has no picture"):
        read_picture(connection, "acme")
    for read in (show_organization, read_picture):
        with pytest.raises(UsageError, match="no organization 'nobody'"):
            read(connection, "nobody")


def test_a_letter_avatar_has_the_colour_that_its_slug_adds_up_to() -> None:
    assert letter_color("acme") == "#57b1be"  # 97 + 99 + 109 + 101 = 406, 10 of 12
    assert letter_color("acem") == letter_color("acme") != letter_color("acmf")


def run(database_url: str, *arguments: str) -> Result:
    return CliRunner().invoke(root, arguments, env={"RELEASE_CONSUMER_DATABASE_URL": database_url})


def test_commands_print_the_same_as_json(connection: Connection, database_url: str) -> None:
    add_log(connection)
    add_group(connection, 41, "WEB-2")
    add_dead_letters(connection, 1)
    connection.commit()
    organization = ("--organization", "acme")
    for arguments, expected in [
        (("releases", "show", *organization, "web@1.0"), show_release(connection, "acme", "web@1.0")),
        (("releases", "list", *organization, "--project", "web"), list_releases(connection, "acme", "web")),
        (("organizations", "show", "acme"), show_organization(connection, "acme")),
        (("groups", "show", *organization, "WEB-2"), show_group(connection, "acme", "WEB-2")),
        (("dead-letters", "list"), list_dead_letters(connection)),
        (("dead-letters", "show", "1"), show_dead_letter(connection, 1)),
    ]:
        assert orjson.loads(run(database_url, *arguments, "--json").stdout) == expected
        for_people = run(database_url, *arguments)
        assert for_people.exit_code == 0
        assert for_people.stdout


def test_a_command_tells_what_is_not_there_in_one_line(connection: Connection, database_url: str) -> None:
    connection.commit()
    result = run(database_url, "releases", "show", "--organization", "acme", "9.9", "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: organization acme has no release '9.9'; ")
    assert result.stderr.count("\n") == 1


def test_a_database_that_is_not_set_up(database_url: str) -> None:
    result = run(database_url, "dead-letters", "list")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: the database is not set up; run `release-consumer setup`\n",
    )


@pytest.fixture
def activity_topic(services: Services) -> Iterator[str]:
    administrator = AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers})
    topic = f"activity-{uuid4().hex}"
    administrator.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    yield topic
    administrator.delete_topics([topic])[topic].result()


def announce(services: Services, topic: str) -> None:
    """Four activities in a transaction, then one in a transaction that is aborted."""
    producer = Producer({"bootstrap.servers": services.kafka_bootstrap_servers, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(4):
        name = "activity.release.created" if number % 2 else "activity.group.resolved"
        activity = {"specversion": "1.0", "id": str(number), "source": "tests", "type": name, "data": {}}
        producer.produce(topic, orjson.dumps(activity), partition=number // 2)
    producer.commit_transaction()
    producer.begin_transaction()
    producer.produce(topic, b"{}", partition=0)
    producer.flush()
    producer.abort_transaction()


def tail(services: Services, topic: str, *options: str) -> Result:
    environment = {
        "RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS": services.kafka_bootstrap_servers,
        "RELEASE_CONSUMER_TOPICS__ACTIVITY": topic,
    }
    return CliRunner().invoke(root, ["activity", "tail", "--until-caught-up", *options], env=environment)


def test_a_tail_until_caught_up_ends_after_what_was_committed(services: Services, activity_topic: str) -> None:
    announce(services, activity_topic)
    every = tail(services, activity_topic, "--from-beginning", "--json")
    assert every.exit_code == 0
    assert sorted(orjson.loads(line)["id"] for line in every.stdout.splitlines()) == ["0", "1", "2", "3"]
    some = tail(services, activity_topic, "--from-beginning", "--json", "--type", "activity.group.resolved")
    assert sorted(orjson.loads(line)["id"] for line in some.stdout.splitlines()) == ["0", "2"]
    for_people = tail(services, activity_topic, "--from-beginning")
    assert for_people.stdout.count("activity.release.created") == 2
    assert tail(services, activity_topic).stdout == ""


def test_a_tail_of_a_topic_that_is_missing(services: Services) -> None:
    result = tail(services, "activity-of-nobody")
    assert result.exit_code == 1
    assert result.stderr == "Error: Kafka has no topic 'activity-of-nobody'; run `release-consumer setup`\n"
