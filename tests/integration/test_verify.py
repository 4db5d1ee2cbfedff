"""``verify``: a healthy installation passes; data broken on purpose is found, and named."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import psycopg2
import pytest
from click.testing import CliRunner
from confluent_kafka import TopicPartition
from psycopg2.sql import SQL, Identifier

from consumer.cli.main import root
from consumer.ops.verify.announcements import CHECKS
from consumer.ops.verify.causes import CAUSES
from consumer.ops.verify.conservation import CONSERVATION
from consumer.ops.verify.invariants import INVARIANTS
from consumer.ops.verify.orphans import ORPHANS
from consumer.ops.verify.positions import AHEAD, PROGRESS, RETAINED, UNANNOUNCED
from consumer.ops.verify.references import REFERENCES
from tests.conformance.builders import (
    ANN,
    API,
    BOB,
    DANA,
    commit,
    created,
    deployed,
    group,
    issue,
    merged,
    pushed,
    said_again,
    updated,
)
from tests.support.product import Product, own_database, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services

    Install = Callable[..., Product]

Json = dict[str, Any]


def catalog() -> list[AnyEvent | Json]:
    return [
        group(external_issues=[issue("jira", "OPS-1")]),
        group("WEB-2", actor=DANA),
        merged("7", "b", "closes WEB-2", **BOB),
    ]


def history() -> list[AnyEvent | Json]:
    """Events that, after those of the catalog, leave something in about every table."""
    first = created("web", "api")
    return [
        first,
        pushed(
            commit("a", "Fixes WEB-1", **ANN, patch_set=[("a.py", "A")]),
            commit("b", **BOB),
            commit("c", repository=API, **ANN),
        ),
        created(version="2.0"),
        updated(version="2.0", url="https://example.com/2"),
        deployed(),
        deployed("staging"),
        updated(version="9.9"),
        first,
    ]


@contextmanager
def installation(services: Services, folder: Path) -> Iterator[Product]:
    """An installation that has applied and announced a history, and whose worker has ended."""
    with own_database(services.database_url) as url, closing(Product(services, url, folder)) as product:
        product.set_up()
        product.publish(*catalog())
        product.run_until_caught_up()
        product.publish(*history())
        product.run_until_caught_up()
        yield product


def verify(product: Product, **settings: Any) -> Json:
    """Verify, and return what was found; the exit code says the same."""
    result = CliRunner().invoke(root, ["verify", "--wait", "0", "--json"], env=product.environment(**settings))
    assert result.exit_code in {0, 1}, result.output
    report: Json = orjson.loads(result.stdout)
    assert report["ok"] is (result.exit_code == 0) is (not report["faults"]), result.output
    return report


@pytest.fixture(scope="module")
def healthy(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with installation(services, tmp_path_factory.mktemp("healthy")) as product:
        product.engine.dispose()  # a database that is copied must have no connections
        yield product


@pytest.fixture
def copy(healthy: Product) -> Iterator[str]:
    """URL of a copy of the healthy database."""
    url = healthy.settings.database_url or ""
    name = f"test_{uuid4().hex}"
    place = urlsplit(url)
    server = place._replace(path="/postgres").geturl()

    def administer(statement: str, *names: str) -> None:
        with closing(psycopg2.connect(server)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(SQL(statement).format(*map(Identifier, names)))

    administer("CREATE DATABASE {} TEMPLATE {}", name, place.path.lstrip("/"))
    try:
        yield place._replace(path=f"/{name}").geturl()
    finally:
        administer("DROP DATABASE {} WITH (FORCE)", name)


def execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount != 0, "nothing was broken"


# --- what is well ------------------------------------------------------------------------------------------------


def test_a_healthy_installation_passes(healthy: Product) -> None:
    report = verify(healthy)
    assert report["faults"] == report["notes"] == []
    assert sum(partition["applied"] for partition in report["partitions"]) == len(catalog()) + len(history()) - 2
    assert sum(partition["duplicate"] for partition in report["partitions"]) == 1
    assert sum(partition["dead"] for partition in report["partitions"]) == 1
    assert all(partition["announced"] == partition["announcements"] for partition in report["partitions"])


def test_people_get_a_table(healthy: Product) -> None:
    result = CliRunner().invoke(root, ["verify"], env=healthy.environment())
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1 + 2 * healthy.settings.topic_partitions
    assert "checks passed" in result.stderr


def test_an_installation_that_was_only_set_up_passes(install: Install) -> None:
    product = install()
    assert (product.ends(), product.activities(), product.announced_dead_letters()) == ({}, [], [])  # all are led
    report = verify(product)
    assert report["partitions"] == []
    assert "no worker has read these partitions yet" in report["notes"][0]


def test_workers_may_run_meanwhile(install: Install) -> None:
    product = install(batch_size=5)
    worker = product.start()
    product.publish(*catalog())
    for number in range(60):
        product.publish(*(said_again(event) for event in history() if not isinstance(event, dict)))
        if number % 20 == 10:
            result = CliRunner().invoke(root, ["verify", "--wait", "30"], env=product.environment())
            assert result.exit_code == 0, result.output
    product.wait_until_announced(worker)
    assert verify(product)["ok"]


def test_what_is_announced_again_on_purpose_is_no_fault(install: Install) -> None:
    product = install()
    product.publish(*history())
    product.run_until_caught_up()
    execute(
        product.settings.database_url or "",
        """
        WITH stream AS (
            UPDATE consumer_offset c SET next_seq = next_seq + n.many, epoch = epoch + 1
            FROM (SELECT offset_id, count(*) AS many FROM activity GROUP BY offset_id) AS n
            WHERE c.id = n.offset_id
            RETURNING c.id, c.next_seq - n.many AS seq
        )
        INSERT INTO outbox (offset_id, seq, activity_id, replayed)
        SELECT s.id, s.seq + row_number() OVER (PARTITION BY s.id ORDER BY a.id) - 1, a.id, true
        FROM activity a
        JOIN stream s ON s.id = a.offset_id
        """,
    )
    before = len(product.activities())
    assert {fault["check"] for fault in verify(product)["faults"]} == {"unannounced"}
    product.run_until_caught_up()
    wait_until(lambda: len(product.activities()) == 2 * before, "announced again")
    assert verify(product)["faults"] == []


# --- what was broken by hand -------------------------------------------------------------------------------------

BREAKS = {
    "conservation": "UPDATE consumer_offset SET applied = applied + 1 WHERE id = 1",
    "position": "UPDATE consumer_offset SET next_offset = frontier + 1 WHERE id = 1",
    "parked-count": "UPDATE consumer_offset SET parked = parked + 1, applied = applied - 1 WHERE applied > 0",
    "dead-count": "DELETE FROM dead_letter",
    "applied-events": "UPDATE consumer_offset SET applied = applied - 1, duplicate = duplicate + 1 WHERE applied > 0",
    "fates": "UPDATE dead_letter SET status = 1",
    "reached": 'UPDATE activity SET "offset" = 1000 WHERE id = (SELECT min(id) FROM activity)',
    "outbox-numbers": (
        "INSERT INTO outbox (offset_id, seq, activity_id)"
        " SELECT id, next_seq + 3, (SELECT min(id) FROM activity) FROM consumer_offset WHERE id = 1"
    ),
    "outbox-targets": "INSERT INTO outbox (offset_id, seq) VALUES (1, 1)",
    "commit-log": "UPDATE release_commit SET position = position + 10 WHERE position = 2",
    "commit-log-repeats": (
        "INSERT INTO release_commit (release_id, position, commit_id)"
        " SELECT release_id, 3, commit_id FROM release_commit WHERE position = 0"
    ),
    "release-totals": "UPDATE release SET commit_count = 7 WHERE version = '1.0'",
    "head-commits": (
        "DELETE FROM release_head_commit WHERE repository_id = (SELECT id FROM repository WHERE name = 'acme/api')"
    ),
    "listings": "UPDATE release_project SET listed_at = now()",
    "deploys": "UPDATE release SET total_deploys = 1 WHERE version = '1.0'",
    "group-status": "UPDATE issue_group SET status = 0 WHERE short_id = 'WEB-1'",
    "group-history": "DELETE FROM group_resolution",
    "group-history-lines": (
        "DELETE FROM group_history WHERE group_id = (SELECT id FROM issue_group WHERE short_id = 'WEB-1')"
    ),
    "release-fields": "UPDATE release SET url = 'https://example.com/elsewhere' WHERE version = '2.0'",
    "group-links": "DELETE FROM group_link WHERE linked_type = 1",
    "organizations": (
        "WITH other AS (INSERT INTO organization (id, slug, date_added) VALUES (1, 'other', now()) RETURNING id)"
        " UPDATE project SET organization_id = other.id FROM other WHERE project.slug = 'api'"
    ),
    "activity-repeats": (
        'INSERT INTO activity (id, event_id, type, organization_id, key, cloudevent, offset_id, "offset", date_added)'
        ' SELECT 1000000, event_id, type, organization_id, key, cloudevent, offset_id, "offset", date_added'
        " FROM activity LIMIT 1"
    ),
    "activity-content": "UPDATE activity SET type = 'activity.release.moved' WHERE id = (SELECT max(id) FROM activity)",
    "orphans": (
        "WITH gone AS (UPDATE consumer_offset SET topic = 'former', parked = 1, applied = applied - 1 WHERE applied > 0"
        ' RETURNING id) INSERT INTO parked_event (offset_id, topic, partition, "offset", headers, event_key, reason,'
        " attempts, next_attempt_at, parked_at, arrived_at)"
        " SELECT id, 'former', 0, 0, '[]', 'acme:1.0', 'waits', 1, now(), now(), now() FROM gone"
    ),
    "unannounced": (
        "UPDATE consumer_offset SET next_seq = next_seq + 1, next_offset = next_offset + 1, frontier = frontier + 1,"
        " applied = applied + 1 WHERE applied > 0"
    ),
    "ahead": "UPDATE consumer_offset SET next_seq = 1 WHERE next_seq > 1",
    "progress": "UPDATE consumer_offset SET stream = gen_random_uuid() WHERE next_seq > 1",
    "retained": "UPDATE consumer_offset SET frontier = frontier + 10, next_offset = next_offset + 10",
    "event-ids": "DELETE FROM processed_event",
    "announced-unknown": "DELETE FROM activity WHERE type = 'activity.group.resolved'",
    "announced-content": (
        "UPDATE activity SET cloudevent = replace(cloudevent::text, '\"web\"', '\"wide\"')::json"
        " WHERE type = 'activity.release.created'"
    ),
    "announced-missing": (
        'INSERT INTO activity (id, event_id, type, organization_id, key, cloudevent, offset_id, "offset", date_added)'
        ' SELECT 1000000, gen_random_uuid(), type, organization_id, key, cloudevent, offset_id, "offset", date_added'
        " FROM activity LIMIT 1"
    ),
    "dead-letters-announced": (
        'INSERT INTO dead_letter SELECT (d).* FROM (SELECT json_populate_record(d, \'{"id": 7, "offset": 1}\') AS d'
        " FROM dead_letter d) AS made"
    ),
    "dead-letters-unknown": "UPDATE dead_letter SET id = id + 7000",
}
"""A statement for each check; checks of the topics alone are below."""

TOLD = {"announced-repeats", "announced-numbers", "announced-order", "announced-gaps"}


def test_every_check_has_a_break() -> None:
    checks = {
        check.name
        for check in (*CONSERVATION, *INVARIANTS, *CHECKS, UNANNOUNCED, AHEAD, PROGRESS, RETAINED, CAUSES, ORPHANS)
    }
    assert BREAKS.keys() | TOLD == checks


@pytest.mark.parametrize("check", BREAKS)
def test_what_was_broken_by_hand_is_found(healthy: Product, copy: str, check: str) -> None:
    execute(copy, BREAKS[check])
    found = {fault["check"]: fault for fault in verify(healthy, database_url=copy)["faults"]}
    assert check in found
    fault = found[check]
    assert fault["total"] >= len(fault["rows"]) >= 1
    assert fault["promise"]
    assert fault["remedy"]
    assert any(name == "id" or name.endswith("_id") for name in fault["rows"][0])


@pytest.mark.parametrize(
    "column",
    [
        "commit_count = 0",
        "last_commit_id = NULL",
        "authors = '{}'",
        "authors = authors || authors",
    ],
)
def test_every_total_of_a_release_is_compared(healthy: Product, copy: str, column: str) -> None:
    execute(copy, f"UPDATE release SET {column} WHERE version = '1.0'")  # noqa: S608  # said above
    assert {fault["check"] for fault in verify(healthy, database_url=copy)["faults"]} == {"release-totals"}


@pytest.mark.parametrize(
    ("check", "statement"),
    [
        (
            "applied-events",
            "UPDATE consumer_offset SET applied = applied + 1, duplicate = duplicate - 1 WHERE duplicate > 0",
        ),
        ("group-history", "UPDATE group_resolution SET version = '7.0'"),
        ("group-history", "DELETE FROM group_history WHERE id = (SELECT max(id) FROM group_history)"),
        ("group-history", "UPDATE issue_group SET status = 2, resolved_at = NULL WHERE short_id = 'WEB-1'"),
        ("release-fields", "UPDATE release SET ref = 'another' WHERE version = '1.0'"),
        ("release-fields", "UPDATE release SET date_released = now() WHERE version = '1.0'"),
    ],
)
def test_more_that_was_broken_by_hand_is_found(healthy: Product, copy: str, check: str, statement: str) -> None:
    execute(copy, statement)
    assert check in {fault["check"] for fault in verify(healthy, database_url=copy)["faults"]}


def test_a_group_judges_its_own_partitions(healthy: Product, copy: str) -> None:
    execute(copy, "UPDATE consumer_offset SET applied = applied + 1 WHERE applied > 0")
    execute(copy, "INSERT INTO outbox (offset_id, seq) SELECT id, next_seq + 7 FROM consumer_offset")
    execute(copy, "UPDATE consumer_offset SET consumer_group = 'another'")
    report = verify(healthy, database_url=copy)
    own = {check.name for check in (*CONSERVATION, ORPHANS)}
    assert own.isdisjoint(fault["check"] for fault in report["faults"])
    assert report["partitions"] == []
    assert "other groups are not judged: another" in " ".join(report["notes"])


def test_the_order_of_a_commit_log_is_judged(healthy: Product, copy: str) -> None:
    execute(copy, "UPDATE release_commit SET timestamp = now() WHERE position = 1")
    assert {fault["check"] for fault in verify(healthy, database_url=copy)["faults"]} == {"commit-log"}


def test_rows_that_name_none_are_found(healthy: Product, copy: str) -> None:
    execute(copy, "INSERT INTO outbox (offset_id, seq, activity_id) VALUES (1, 1, 1)")
    execute(copy, "INSERT INTO outbox (offset_id, seq, dead_letter_id) VALUES (1, 2, 1)")
    nobody = 1_000_000
    for reference in REFERENCES:
        nobody += 1
        execute(
            copy,
            f'UPDATE "{reference.table}" SET {reference.column} = {nobody} WHERE ctid = (SELECT max(ctid)'  # noqa: S608
            f' FROM "{reference.table}" WHERE {reference.only} AND {reference.column} IS NOT NULL)',
        )
    faults = {fault["check"]: fault for fault in verify(healthy, database_url=copy)["faults"]}
    for number, reference in enumerate(REFERENCES, 1_000_001):
        fault = faults[f"reference-{reference.table}-{reference.column}-{reference.target}".replace("_", "-")]
        assert fault["table"] == reference.table
        assert number in [row[reference.column] for row in fault["rows"]]


def test_many_rows_at_fault_are_counted_and_the_first_named(healthy: Product, copy: str) -> None:
    execute(copy, "INSERT INTO outbox (offset_id, seq) SELECT 1, n FROM generate_series(1, 50) AS n")
    (fault,) = [f for f in verify(healthy, database_url=copy)["faults"] if f["check"] == "outbox-targets"]
    assert (fault["total"], len(fault["rows"])) == (50, 20)
    result = CliRunner().invoke(root, ["verify", "--wait", "0"], env=healthy.environment(database_url=copy))
    assert result.exit_code == 1
    assert "outbox-targets: broken in 50 rows of outbox" in result.stdout
    assert "... and 30 more" in result.stdout
    assert result.stderr.startswith("Error: ")


def test_a_partition_at_fault_says_so(healthy: Product, copy: str) -> None:
    execute(copy, BREAKS["conservation"])
    report = verify(healthy, database_url=copy)
    assert {partition["id"]: partition["faults"] for partition in report["partitions"] if partition["faults"]} == {
        1: ["conservation", "applied-events"]
    }


# --- what was announced wrongly ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told_wrongly(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Json]:
    """Checks that fail where somebody has written to the activity topic."""
    with installation(services, tmp_path_factory.mktemp("told")) as product:
        topic = product.settings.topics.activity
        told = product.reader(topic).read()
        first = min(told, key=lambda message: (message.partition(), message.offset()))
        partition = first.partition() or 0
        product.send(topic, first.value(), first.key(), partition=partition)
        another = orjson.loads(first.value() or b"") | {"id": str(uuid4())}
        product.send(topic, orjson.dumps(another), first.key(), partition=partition)
        product.send(topic, b"no event", partition=partition)
        product.flush()
        execute(
            product.settings.database_url or "",
            "DELETE FROM activity WHERE type = 'activity.release.deployed'",
        )
        yield verify(product)


@pytest.mark.parametrize("check", ["announced-repeats", "announced-numbers", "announced-order", "announced-unknown"])
def test_what_was_announced_wrongly_is_found(told_wrongly: Json, check: str) -> None:
    found = {fault["check"]: fault for fault in told_wrongly["faults"]}
    assert check in found
    assert found[check]["rows"]


def test_records_of_others_are_noted(told_wrongly: Json) -> None:
    assert told_wrongly["notes"] == ["not this group's in the activity topic: 1 record"]


def test_a_number_that_was_never_told_is_found(install: Install) -> None:
    product = install()
    product.publish(created())
    product.run_until_caught_up()
    # As if an activity had gone before it was announced.
    execute(
        product.settings.database_url or "",
        "UPDATE consumer_offset SET next_seq = next_seq + 2, epoch = epoch + 1 WHERE next_seq > 1",
    )
    product.run_until_caught_up()
    (fault,) = [fault for fault in verify(product)["faults"] if fault["check"] == "announced-gaps"]
    assert fault["total"] == 1
    assert (fault["rows"][0]["first_number"], fault["rows"][0]["last_number"]) == (2, 3)


def test_what_retention_removed_from_the_topic_is_no_fault(install: Install) -> None:
    product = install(topic_partitions=1)
    product.publish(*catalog(), *history())
    product.run_until_caught_up()
    told = product.reader(product.settings.topics.activity).read()
    place = TopicPartition(product.settings.topics.activity, 0, (told[3].offset() or 0))
    for future in product.admin.delete_records([place]).values():
        future.result()
    report = verify(product)
    assert report["faults"] == []
    assert "retention has removed records of the activity topic" in report["notes"][0]
