"""Partitions that nobody reads: what waits in them is not tried, and commands that would wait for that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from confluent_kafka import KafkaException

from consumer.errors import UsageError
from consumer.ops.orphans import ADOPT, find_orphans, find_read
from consumer.services import resolve_service

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.settings import Settings


def unread_streams(settings: Settings, connection: Connection) -> dict[int, str]:
    """Rows of ``consumer_offset`` whose events nobody tries, with the words for it.

    Nothing, and a line on stderr, where Kafka cannot be asked: then whatever is asked for waits for it, too.

    Args:
        settings: group, topics, and where Kafka is.
        connection: to PostgreSQL.
    """
    try:
        servers = resolve_service(settings, "kafka")
        read = find_read(settings, servers)
        orphans = find_orphans(connection, settings, read)
    except (KafkaException, UsageError) as error:
        reason = error.args[0].str() if isinstance(error, KafkaException) else error
        click.echo(f"whether the partitions are still read cannot be told: {reason}", err=True)
        return {}
    return {
        orphan.id: f"came by {orphan}, which nobody reads any more: {ADOPT} lets workers see to it"
        for orphan in orphans
    }
