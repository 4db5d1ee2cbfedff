"""Dead letters on real services: listed, tried again, discarded; to ask twice has one effect."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from sqlalchemy import event

from consumer.codes import DeadLetterStatus
from consumer.intake.kafka import Cluster
from consumer.store import tables
from consumer.store.database import connect
from consumer.store.reading.dead_letters import list_dead_letters
from tests.conformance.builders import ACME, created, deployed
from tests.model.cloudevents import as_cloudevent
from tests.support.product import Product, own_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from consumer.services import Services

Json = dict[str, Any]
PAGE = 100


@pytest.fixture
def product(install: Callable[..., Product]) -> Product:
    return install(topic_partitions=1, halt_ratio=1)


def letters(product: Product, *filters: str) -> list[Json]:
    """All dead letters, oldest first."""
    listed: list[Json] = product.json("dead-letters", "list", "--status", "all", *filters)["deadLetters"]
    return sorted(listed, key=lambda letter: (letter["offset"], letter["id"]))


def statuses(product: Product) -> list[str]:
    return [letter["status"] for letter in letters(product)]


def run(product: Product, *arguments: str, code: int = 0) -> Json:
    """The document that a command prints."""
    result = product.command("dead-letters", *arguments, "--json")
    assert result.exit_code == code, result.output
    found: Json = orjson.loads(result.stdout)
    return found


def deploys(product: Product, version: str) -> list[str]:
    release = product.json("releases", "show", "--organization", ACME, version)
    return [deploy["environment"] for deploy in reversed(release["deploys"])]


def must_be_sound(product: Product) -> None:
    verified = product.command("verify")
    assert verified.exit_code == 0, verified.output


def test_after_the_cause_is_gone_they_are_applied_in_the_order_of_their_key(product: Product) -> None:
    worker = product.start()
    product.publish(*(deployed(name, version="9.0") for name in ("first", "second", "third")))
    product.publish(created(version="9.0"))
    product.wait_until_announced(worker)
    assert statuses(product) == ["dead"] * 3
    shuffled = [str(letters(product)[number]["id"]) for number in (2, 0, 1)]
    assert run(product, "replay", *shuffled) == {
        "replayed": 3,
        "applied": 3,
        "duplicate": 0,
        "deadAgain": 0,
        "discarded": 0,
        "waiting": 0,
        "skipped": [],
    }
    assert statuses(product) == ["replayed"] * 3
    assert all(letter["settledAt"] for letter in letters(product))
    announced = [a["data"]["environment"] for a in product.activities() if a["type"].endswith("release.deployed")]
    assert announced == ["first", "second", "third"]
    assert product.json("dead-letters", "list")["deadLetters"] == []
    must_be_sound(product)

    twice = product.command("dead-letters", "replay", shuffled[0])
    assert (twice.exit_code, "was replayed already" in twice.stderr) == (0, True), twice.stderr
    assert run(product, "replay", "--all")["replayed"] == 0
    assert len(deploys(product, "9.0")) == 3


def test_one_that_fails_again_is_dead_again(product: Product) -> None:
    worker = product.start()
    product.publish(deployed(version="9.0"))
    product.send(product.settings.topics.release_events, b"no event")
    product.flush()
    product.wait_until_announced(worker)
    counts = run(product, "replay", "--all", code=1)
    assert (counts["replayed"], counts["deadAgain"], counts["waiting"]) == (2, 2, 0)
    assert statuses(product) == ["dead"] * 2
    product.publish(created(version="8.0"))
    product.wait_until_announced(worker)
    assert len(product.announced_dead_letters()) == 2, "not announced again"
    must_be_sound(product)


def test_one_whose_id_took_effect_meanwhile_is_a_duplicate(product: Product) -> None:
    worker = product.start()
    early = deployed(version="9.0")
    product.publish(early, created(version="9.0"), replace(early, environment="staging"))
    product.wait_until_announced(worker)
    counts = run(product, "replay", "--all")
    assert (counts["applied"], counts["duplicate"]) == (0, 1)
    assert deploys(product, "9.0") == ["staging"]
    must_be_sound(product)


def test_replays_at_once_have_one_effect(product: Product) -> None:
    worker = product.start()
    product.publish(*(deployed(f"e{number}", version="9.0") for number in range(40)), created(version="9.0"))
    product.wait_until_announced(worker)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: product.process("dead-letters", "replay", "--all", "--json"), range(3)))
    assert [run.returncode for run in runs] == [0] * 3, "\n".join(run.stderr for run in runs)
    assert sum(orjson.loads(run.stdout)["applied"] for run in runs) == 40
    assert deploys(product, "9.0") == [f"e{number}" for number in range(40)]
    must_be_sound(product)


def test_without_a_worker_they_wait_in_the_order_of_their_arrival(product: Product) -> None:
    product.publish(deployed(version="9.0"), created(version="9.0"))
    product.run_until_caught_up()
    result = product.command("dead-letters", "replay", "--all", "--timeout", "0.5")
    assert result.exit_code == 1
    assert "`release-consumer run`" in result.stderr.splitlines()[-1]
    assert statuses(product) == ["replaying"]
    (letter,) = letters(product)
    again = product.command("dead-letters", "replay", str(letter["id"]))
    assert (again.exit_code, "is being tried again already" in again.stderr) == (0, True)
    must_be_sound(product)
    product.run_until_caught_up()
    assert statuses(product) == ["replayed"]
    must_be_sound(product)


def test_discarded_ones_are_closed(product: Product) -> None:
    product.publish(deployed(version="9.0"), {**as_cloudevent(deployed()), "data": {"organization": ACME}})
    product.run_until_caught_up()
    missing, invalid = letters(product)
    assert run(product, "discard", "--reason", "schema") == {"discarded": 1, "skipped": []}
    assert statuses(product) == ["dead", "discarded"]
    assert [letter["id"] for letter in product.json("dead-letters", "list")["deadLetters"]] == [missing["id"]]
    assert run(product, "discard", str(invalid["id"]))["skipped"][0]["id"] == invalid["id"]
    assert run(product, "replay", str(invalid["id"]))["replayed"] == 0
    assert run(product, "discard", "--all")["discarded"] == 1
    assert statuses(product) == ["discarded"] * 2
    must_be_sound(product)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["replay"], 2, "name ids, or filters, or --all"),
        (["replay", "1", "--all"], 2, "exclude each other"),
        (["discard", "--all", "--reason", "schema"], 2, "exclude each other"),
        (["replay", "77"], 1, "there is no dead letter 77"),
        (["discard", "77"], 1, "there is no dead letter 77"),
        (["replay", "--reason", "shema"], 2, "there is no reason 'shema'; the reasons are cannot-be-applied, "),
    ],
)
def test_what_is_refused(product: Product, arguments: list[str], code: int, words: str) -> None:
    result = product.command("dead-letters", *arguments)
    assert (result.exit_code, words in result.stderr) == (code, True), result.stderr


def add_letters(
    connection: Connection, product: Product, count: int, where: tuple[str, str, str, int] = ("c", "t", "t", 0)
) -> None:
    """Dead letters of every status, reason and type, in one partition."""
    connection.exec_driver_sql(
        "INSERT INTO consumer_offset (consumer_group, cluster_id, topic_id, topic, partition, stream, first_offset,"
        " next_offset, frontier, dead, owner, updated_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, 0, %s, %s, %s, '', now())",
        (product.settings.group_id, *where, str(uuid4()), count, count, count),
    )
    connection.exec_driver_sql(
        'INSERT INTO dead_letter (id, offset_id, topic, partition, "offset", headers, value, reason, errors,'
        " event_type, dead_at, arrived_at, status)"
        " SELECT n, (SELECT max(id) FROM consumer_offset), 't', 0, n - 1, '[]', 'x',"
        " CASE WHEN n %% 1000 = 0 THEN 'rare' ELSE 'schema' END, '[]',"
        " CASE WHEN n %% 700 = 0 THEN 'odd' ELSE 'commits-pushed' END,"
        " timestamptz '2026-01-01' + n * interval '1 second', timestamptz '2026-01-01' + n * interval '1 second',"
        " CASE WHEN n %% 3 = 0 THEN 2 ELSE 0 END"
        " FROM generate_series(1, %s) AS n",
        (count,),
    )


def test_many_are_taken_in_bounded_chunks(product: Product) -> None:
    topic = product.settings.topics.release_events
    ids = Cluster(product.settings, product.settings.kafka_bootstrap_servers or "").partitions([topic])
    with product.engine.begin() as connection:
        add_letters(connection, product, 3000, astuple(ids[topic, 0]))
    assert run(product, "replay", "--all", "--no-wait")["replayed"] == 2000
    (stream,) = product.rows("SELECT dead, parked FROM consumer_offset")
    assert (stream.dead, stream.parked) == (1000, 2000)
    waiting = product.rows("SELECT dead_letter_id, event_key FROM parked_event ORDER BY id")
    assert [row.dead_letter_id for row in waiting] == [number for number in range(1, 3001) if number % 3]
    assert waiting[0].event_key == "dead-letter:1", "one that is no event waits for nobody"


@pytest.fixture(scope="module")
def many(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A database with many dead letters."""
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, tmp_path_factory.mktemp("many"))) as product,
    ):
        engine = connect(url, application_name="tests")
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            add_letters(connection, product, 30_000)
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")
        with engine.connect() as connection:
            yield connection
        engine.dispose()


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"reason": "rare"},
        {"reason": "nothing"},
        {"event_type": "odd"},
        {"reason": "schema", "event_type": "odd"},
        {"reason": "rare", "event_type": "odd"},
        {"statuses": list(DeadLetterStatus)},
        {"statuses": [DeadLetterStatus.DISCARDED]},
    ],
    ids=str,
)
def test_a_page_of_many_is_a_range_of_an_index(many: Connection, filters: Json) -> None:
    statements: list[Any] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2:4])

    event.listen(many, "before_cursor_execute", note)
    page = list_dead_letters(many, limit=PAGE, **filters)
    event.remove(many, "before_cursor_execute", note)
    ((statement, parameters),) = statements
    plan = many.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()[0]["Plan"]
    scans = [node for node in nodes(plan) if node.get("Relation Name") == "dead_letter"]
    many.rollback()
    assert scans
    assert {scan["Node Type"] for scan in scans} <= {"Index Scan", "Bitmap Heap Scan"}
    read = sum((s["Actual Rows"] + s.get("Rows Removed by Filter", 0)) * s["Actual Loops"] for s in scans)
    assert read <= len(DeadLetterStatus) * (PAGE + 1)
    assert len(page["deadLetters"]) <= PAGE


def nodes(plan: Json) -> Iterator[Json]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)
