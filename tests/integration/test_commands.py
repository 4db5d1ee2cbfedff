"""The commands on an installation of their own, with data that came in through Kafka."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.conformance.builders import (
    ACME,
    ANN,
    API,
    BOB,
    DANA,
    WEB,
    at,
    commit,
    created,
    group,
    issue,
    merged,
    pushed,
    resolution,
)
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services

Json = dict[str, Any]

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AT_ONCE = 10


# --- setup -------------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(services: Services, database_url: str, tmp_path: Path) -> Iterator[Product]:
    """An installation that is not set up."""
    with closing(Product(services, database_url, tmp_path)) as product:
        yield product


def topics_told(product: Product, word: str) -> list[str]:
    return sorted(f"topic {topic}: {word}" for topic in product.settings.topics.model_dump().values())


def test_setup_twice(bare: Product) -> None:
    first, second = bare.command("setup"), bare.command("setup")
    assert (first.exit_code, second.exit_code) == (0, 0), first.stderr + second.stderr
    assert sorted(first.stderr.splitlines()[1:]) == topics_told(bare, "created")
    assert sorted(second.stderr.splitlines()[1:]) == topics_told(bare, "exists")
    assert first.stderr.splitlines()[0] == second.stderr.splitlines()[0]
    bare.run_until_caught_up()


def test_setup_from_many_places_at_once(bare: Product) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda _: bare.process("setup"), range(AT_ONCE)))
    assert [run.returncode for run in runs] == [0] * AT_ONCE, "\n".join(run.stderr for run in runs)
    told = [line for run in runs for line in run.stderr.splitlines()]
    assert sorted(line for line in told if line.endswith(": created")) == topics_told(bare, "created")
    assert len(set(filter(lambda line: line.startswith("database: "), told))) == 1
    bare.run_until_caught_up()


# --- run ---------------------------------------------------------------------------------------------------------


def test_a_worker_that_waits_at_start_ends_at_once_when_told(bare: Product) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        worker = bare.start(database_url="postgresql://nobody@127.0.0.1:1/none")
        worker.wait_for_words("waiting for PostgreSQL at postgresql://nobody@127.0.0.1:1/none")
        os.kill(worker.pid, number)
        assert worker.wait() == 0
        assert worker.lines[-1] == "ended before anything was read"


def test_a_worker_without_redis_works_and_tells_what_it_did(bare: Product) -> None:
    bare.set_up()
    bare.publish(created(version="1.0"), created(version="1.0"), {"type": "release-created", "data": {}})
    worker = bare.run_until_caught_up(redis_url="redis://127.0.0.1:1/0")
    assert "Redis does not answer, going on without it" in worker.words
    assert worker.lines[-1] == (
        "caught up: 2 applied, 0 duplicate, 0 parked, 1 dead; see `release-consumer dead-letters list`"
    )


def test_a_drained_worker_tells_what_it_did(bare: Product) -> None:
    bare.set_up()
    bare.publish(created(version="1.0"), created(version="2.0"))
    worker = bare.start()
    bare.wait_until_announced(worker)
    assert worker.terminate() == 0
    assert worker.lines[-1] == "drained: 2 applied, 0 duplicate, 0 parked, 0 dead"


# --- reading -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def product(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A release with all that it can have, one without anything, and three groups."""
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, tmp_path_factory.mktemp("product"))) as product,
    ):
        product.set_up()
        product.publish(
            group(title="It breaks", inbox="new", external_issues=[issue("jira", "OPS-1")]),
            group("WEB-2", resolution=resolution("in_next_release", "1.0"), status="resolved", actor=DANA),
            group("API-3", project="api"),
            merged("7", "c2", "Closes API-3", **BOB),
        )
        product.run_until_caught_up()
        product.publish(
            created(
                "web",
                "api",
                ref="main",
                url="https://example.com/1.0",
                date_released=at(5),
                version="1.0",
            ),
            pushed(
                commit("c1", "Start", timestamp=at(1), patch_set=[("b.py", "M"), ("a.py", "A")], **ANN),
                commit("c3", "Fixes WEB-1", timestamp=at(3), repository=API, **ANN),
                commit("c2", None, timestamp=at(2), **BOB),
            ),
            created(version="0.9"),
        )
        product.run_until_caught_up()
        yield product


def must_be_recent(document: Json, *fields: str) -> None:
    """Take out what is made up when events are applied, after a look at its form."""
    for field in fields:
        assert INSTANT.fullmatch(document.pop(field)), field


def test_a_release(product: Product) -> None:
    release = product.json("releases", "show", "--organization", ACME, "1.0")
    must_be_recent(release, "dateCreated")
    assert 0 < int(release.pop("id")) < 2**53
    ann, bob = ({"name": who["author_name"], "email": who["author_email"]} for who in (ANN, BOB))
    assert release == {
        "organization": ACME,
        "version": "1.0",
        "status": "open",
        "ref": "main",
        "url": "https://example.com/1.0",
        "dateStarted": None,
        "dateReleased": "2024-06-01T05:00:00Z",
        "owner": None,
        "versionInfo": None,
        "deployCount": 0,
        "commitCount": 3,
        "lastCommit": "c3",
        "authors": [ann, bob],
        "projects": ["api", "web"],
        "commits": [
            {
                "id": "c3",
                "repository": API,
                "message": "Fixes WEB-1",
                "author": ann,
                "dateCreated": "2024-06-01T03:00:00Z",
                "patchSet": [],
            },
            {
                "id": "c2",
                "repository": WEB,
                "message": None,
                "author": bob,
                "dateCreated": "2024-06-01T02:00:00Z",
                "patchSet": [],
            },
            {
                "id": "c1",
                "repository": WEB,
                "message": "Start",
                "author": ann,
                "dateCreated": "2024-06-01T01:00:00Z",
                "patchSet": [{"path": "a.py", "type": "A"}, {"path": "b.py", "type": "M"}],
            },
        ],
        "headCommits": [{"repository": API, "commit": "c3"}, {"repository": WEB, "commit": "c2"}],
        "deploys": [],
        "resolvedGroups": ["API-3", "WEB-1"],
    }


def test_a_release_in_words(product: Product) -> None:
    words = product.command("releases", "show", "--organization", ACME, "1.0").stdout
    fields = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in words.partition("\n\n")[0].splitlines()}
    assert fields.keys() >= {"owner", "started", "deploys"}
    assert (fields["released"], fields["deploys"]) == ("2024-06-01T05:00:00Z", "0")


def test_releases_of_a_project(product: Product) -> None:
    page = product.json("releases", "list", "--organization", ACME, "--project", "web")
    assert [release["version"] for release in page["releases"]] == ["0.9", "1.0"]
    assert page["nextCursor"] is None
    shown = product.json("releases", "show", "--organization", ACME, "1.0")
    assert page["releases"][1].items() <= shown.items()

    options = ("releases", "list", "--organization", ACME, "--project", "web", "--limit", "1")
    first = product.json(*options)
    second = product.json(*options, "--cursor", first["nextCursor"])
    assert first["releases"] + second["releases"] == page["releases"]
    assert second["nextCursor"] is None
    assert product.json(*options, "--query", "1.")["releases"] == second["releases"]


def test_a_group(product: Product) -> None:
    found = product.json("groups", "show", "--organization", ACME, "web-1")
    activity = found.pop("activity")
    assert found == {
        "organization": ACME,
        "project": "web",
        "shortId": "WEB-1",
        "title": "It breaks",
        "status": "resolved",
        "inbox": None,
        "resolution": {
            "release": "1.0",
            "type": "in_release",
            "status": "resolved",
            "actor": {"name": "Ann", "email": "ann@example.com"},
        },
        "links": [
            {"type": "commit", "id": "c3", "relationship": "resolves"},
            {"type": "issue", "id": "OPS-1", "relationship": "references"},
        ],
    }
    assert [entry["type"] for entry in activity] == [
        "activity.group.resolved",
        "activity.group.status-sync-requested",
    ]
    for entry in activity:
        must_be_recent(entry, "dateCreated")
        assert entry.keys() == {"type", "data"}
    assert activity[0]["data"]["version"] == "1.0"


def test_what_is_not_there(product: Product) -> None:
    for arguments in (
        ("releases", "show", "--organization", ACME, "9.9"),
        ("groups", "show", "--organization", "x", "A-1"),
    ):
        result = product.command(*arguments, "--json")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1


def test_the_tail_of_the_activity(product: Product) -> None:
    tail = ("activity", "tail", "--from-beginning", "--until-caught-up", "--json")
    lines = [orjson.loads(line) for line in product.command(*tail).stdout.splitlines()]
    by_id = {activity["id"]: activity for activity in product.activities()}
    assert {line["id"]: line for line in lines} == by_id
    assert len(lines) == len(by_id)
    for line in lines:
        assert line.keys() >= {"specversion", "id", "source", "type", "time", "data", "causeid", "causesource"}

    resolved = product.command(*tail, "--type", "activity.group.resolved").stdout.splitlines()
    assert {orjson.loads(line)["data"]["shortId"] for line in resolved} >= {"WEB-1", "API-3"}
    assert len(resolved) == sum(line["type"] == "activity.group.resolved" for line in lines)
    assert product.command("activity", "tail", "--until-caught-up", "--json").stdout == ""


def test_settings(product: Product) -> None:
    settings = {line["name"]: line for line in product.json("settings")["settings"]}
    assert all(line.keys() >= {"name", "value", "default", "meaning", "source"} for line in settings.values())
    assert all(line["meaning"] for line in settings.values())
    partitions = settings["topic_partitions"]
    assert (partitions["value"], partitions["default"], partitions["source"]) == (2, 6, "environment")
    assert settings["topics.activity"]["value"] == product.settings.topics.activity
    assert (settings["batch_size"]["value"], settings["batch_size"]["source"]) == (1000, "default")
    assert settings["database_url"]["value"] != product.settings.database_url
    assert "***@" in settings["database_url"]["value"]
