"""``doctor``: looks at settings, services, topics and progress, and says what to do about each."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
from confluent_kafka import KafkaException
from sqlalchemy.exc import SQLAlchemyError

from consumer.announce.group_offsets import GroupOffsets
from consumer.errors import SettingsError, UsageError, first_line
from consumer.intake.kafka import Cluster
from consumer.ops.doctor.kafka import KafkaAdmin, examine_kafka
from consumer.ops.doctor.orphans import examine_orphans
from consumer.ops.doctor.postgresql import examine_postgresql, has_schema
from consumer.ops.doctor.progress import examine_progress
from consumer.ops.doctor.redis import examine_redis
from consumer.ops.doctor.report import Area
from consumer.ops.doctor.settings import examine_settings
from consumer.ops.doctor.topics import examine_topics
from consumer.services import resolve_service
from consumer.services.model import SERVICE_NAMES
from consumer.store.database import address_of, connect, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from consumer.ops.doctor.report import Line
    from consumer.services.model import ServiceName
    from consumer.settings import Settings


def examine() -> Iterator[Line]:
    """Look at everything, one area after the other; what cannot be reached fails, and the rest goes on."""
    settings, lines = examine_settings()
    yield from lines
    if settings is None:
        return
    addresses, lines = _find_services(settings)
    yield from lines
    engine, lines = _engine(addresses.get("postgresql"))
    yield from lines
    try:
        yield from _examine_services(settings, addresses, engine)
    finally:
        if engine is not None:
            engine.dispose()


def _find_services(settings: Settings) -> tuple[dict[ServiceName, str], list[Line]]:
    """Addresses of the services that are named or up."""
    area = Area("services")
    addresses: dict[ServiceName, str] = {}
    for name in SERVICE_NAMES:
        try:
            addresses[name] = resolve_service(settings, name, must_answer=False)
        except UsageError as error:
            finding, _, remedy = str(error).rpartition("; ")
            (area.warn if name == "redis" else area.fail)(name, finding, remedy)
    return addresses, area.lines


def _engine(url: str | None) -> tuple[Engine | None, list[Line]]:
    area = Area("postgresql")
    if url is not None:
        try:
            return connect(url, application_name="release-consumer doctor", pool_size=1), []
        except SettingsError as error:
            finding, _, remedy = str(error).rpartition("; ")
            area.fail("address", finding, remedy)
    return None, area.lines


def _examine_services(settings: Settings, addresses: dict[ServiceName, str], engine: Engine | None) -> Iterator[Line]:
    has_tables = False
    if engine is not None:
        has_tables, lines = _examine_database(engine, addresses["postgresql"])
        yield from lines
    if "redis" in addresses:
        yield from examine_redis(addresses["redis"], settings.redis_timeout_seconds)
    if "kafka" in addresses:
        yield from _examine_kafka(settings, addresses["kafka"], engine if has_tables else None)


def _examine_database(engine: Engine, url: str) -> tuple[bool, list[Line]]:
    try:
        lines = examine_postgresql(engine)
        with transaction(engine) as cursor:
            return has_schema(cursor), lines
    except (psycopg2.Error, SQLAlchemyError) as error:
        area = Area("postgresql")
        reason = first_line(getattr(error, "orig", None) or error)
        area.fail("connection", f"{address_of(url)}: {reason}", "start it, or correct RELEASE_CONSUMER_DATABASE_URL")
        return False, area.lines


def _examine_kafka(settings: Settings, bootstrap_servers: str, engine: Engine | None) -> Iterator[Line]:
    """The cluster, its topics and, where the tables are there, the progress of the group."""
    area = Area("kafka")
    try:
        admin = KafkaAdmin(settings, bootstrap_servers)
        brokers = admin.brokers()
        yield from examine_kafka(settings, admin, brokers)
        cluster = Cluster(settings, bootstrap_servers)
        lines = examine_topics(settings, cluster, admin)
        yield from lines
        if engine is not None and not any(line.finding == "does not exist" for line in lines):
            members = admin.group_members(settings.group_id)
            with closing(GroupOffsets(settings, bootstrap_servers)) as offsets:
                yield from examine_progress(settings, engine, cluster, offsets, members)
                yield from examine_orphans(settings, bootstrap_servers, engine, offsets)
    except KafkaException as error:
        area.fail(
            "connection",
            f"{bootstrap_servers}: {error.args[0].str()}",
            "start it, or correct RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS and the KAFKA__ properties",
        )
        yield from area.lines
