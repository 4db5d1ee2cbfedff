"""``verify``: whether every promise is kept that the database and the topics can show.

Order matters where workers run: what is announced is read first, then the topics, then one snapshot of the database
that all queries judge. So nothing that is under way looks like a fault.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

from consumer.announce.group_offsets import GroupOffsets
from consumer.intake.kafka import Cluster
from consumer.ops.orphans import find_read
from consumer.ops.verify.announcements import Announcements
from consumer.ops.verify.causes import CAUSES, check_causes
from consumer.ops.verify.conservation import CONSERVATION
from consumer.ops.verify.invariants import INVARIANTS
from consumer.ops.verify.orphans import ORPHANS, check_orphans
from consumer.ops.verify.positions import Positions, read_streams
from consumer.ops.verify.references import check_references
from consumer.ops.verify.report import Report
from consumer.store.database import connect
from consumer.store.migrating import require_migrated

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from consumer.intake.wiring import Addresses
    from consumer.settings import Settings
    from consumer.store.database import Cursor


def verify(settings: Settings, addresses: Addresses, wait_seconds: float, tell: Callable[[str], None]) -> Report:
    """Check everything; nothing is written.

    Args:
        settings: group, topics and retention.
        addresses: where the services answer.
        wait_seconds: how long running workers may take to announce what is applied.
        tell: told what is done next, for people who wait.

    Raises:
        UsageError: the database or a topic is not set up; names the remedy.
        KafkaException, psycopg2.Error, sqlalchemy.exc.SQLAlchemyError: a service does not answer.
        ServiceUnavailable: Kafka says nothing for too long.
    """
    engine = connect(addresses.database_url, application_name="release-consumer verify", pool_size=1)
    try:
        require_migrated(engine)
        return _verify(settings, addresses.kafka_bootstrap_servers, engine, wait_seconds, tell)
    finally:
        engine.dispose()


def _verify(
    settings: Settings, bootstrap_servers: str, engine: Engine, wait_seconds: float, tell: Callable[[str], None]
) -> Report:
    report = Report()
    cluster = Cluster(settings, bootstrap_servers)
    read = find_read(settings, bootstrap_servers)
    with (
        closing(engine.raw_connection()) as pooled,
        closing(cast("Cursor", pooled.cursor())) as cursor,  # the driver is psycopg2
        closing(GroupOffsets(settings, bootstrap_servers)) as offsets,
    ):
        tell("waiting until what is applied is announced")
        positions = Positions(settings, cluster, offsets, cursor)
        positions.settle(wait_seconds)
        positions.judge(report)
        tell("reading what was announced")
        announcements = Announcements(settings, bootstrap_servers, cluster, cursor)
        announcements.load(positions)
        cursor.connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        _check_snapshot(settings, cursor, announcements, report, tell)
        streams = read_streams(cursor, settings.group_id)
        tell(ORPHANS.promise)
        report.add(check_orphans(cursor, streams, read, announcements.since), ORPHANS.name)
        positions.describe(streams, report)
        _note_other_groups(settings, cursor, report)
        pooled.rollback()
    return report


def _check_snapshot(
    settings: Settings, cursor: Cursor, announcements: Announcements, report: Report, tell: Callable[[str], None]
) -> None:
    for check in CONSERVATION:
        tell(check.promise)
        report.add(check.run(cursor, {"group": settings.group_id}), check.name)
    for check in INVARIANTS:
        tell(check.promise)
        report.add(check.run(cursor), check.name)
    tell("looking for rows that name others that do not exist")
    for check, fault in check_references(cursor):
        report.add(fault, check.name)
    tell("comparing with what was announced")
    for check, fault in announcements.judge(report):
        report.add(fault, check.name)
    tell(CAUSES.promise)
    report.add(check_causes(cursor, settings), CAUSES.name)


def _note_other_groups(settings: Settings, cursor: Cursor, report: Report) -> None:
    cursor.execute("SELECT DISTINCT consumer_group FROM consumer_offset ORDER BY consumer_group")
    others = [group for (group,) in cursor.fetchall() if group != settings.group_id]
    if others:
        report.notes.append(
            f"partitions, announcements and letters of other groups are not judged: {', '.join(others)}"
        )
