"""A place of one's own on the services: a database, topics and a consumer group that no one else uses."""

from __future__ import annotations

import secrets
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg2
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from psycopg2.sql import SQL, Composable, Identifier

from consumer.errors import UsageError
from consumer.settings import ENV_PREFIX, Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services

_ANSWER_SECONDS = 10.0


@contextmanager
def own_place(services: Services, stack_data: Path, purpose: str = "demo") -> Iterator[Settings]:
    """Make an empty database under a fresh name; remove it and the topics at the end, whatever happened.

    Args:
        services: where Kafka, PostgreSQL and Redis answer.
        stack_data: data folder of the stack, for commands that are run there.
        purpose: what it is for; names begin with it.

    Yields:
        settings that name the services and the place; ``release-consumer setup`` makes tables and topics there.

    Raises:
        UsageError: the database user may not create databases.
    """
    name = f"{purpose}-{secrets.token_hex(4)}"
    database = name.replace("-", "_")
    settings = load_settings(
        stack_data=stack_data,
        kafka_bootstrap_servers=services.kafka_bootstrap_servers,
        database_url=urlsplit(services.database_url)._replace(path=f"/{database}").geturl(),
        redis_url=services.redis_url,
        group_id=name,
        topics={
            "release_events": f"{name}-release-events",
            "catalog_events": f"{name}-catalog-events",
            "activity": f"{name}-activity",
            "dead_letters": f"{name}-dead-letters",
        },
    )
    _administer(services.database_url, SQL("CREATE DATABASE {}").format(Identifier(database)))
    try:
        yield settings
    finally:
        _remove_from_kafka(settings, services.kafka_bootstrap_servers)
        _administer(services.database_url, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database)))


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment variables that lead any command of the product to the place."""
    topics = {f"TOPICS__{name.upper()}": topic for name, topic in settings.topics.model_dump().items()}
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers or "",
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
        "GROUP_ID": settings.group_id,
        **topics,
    }
    return {f"{ENV_PREFIX}{name}": value for name, value in variables.items()}


def _administer(url: str, statement: Composable) -> None:
    try:
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True  # databases are not made or dropped in a transaction
            with connection.cursor() as cursor:
                cursor.execute(statement)
    except psycopg2.Error as error:
        reason = str(error).strip().splitlines()[0]
        msg = (
            f"cannot manage a database of its own: {reason}; name a user with CREATEDB in "
            f"{ENV_PREFIX}DATABASE_URL, or unset it to use the embedded PostgreSQL"
        )
        raise UsageError(msg) from None


def _remove_from_kafka(settings: Settings, servers: str) -> None:
    """Delete topics and group; what cannot be deleted is unused, and in no one's way."""
    topics = settings.topics
    admin = AdminClient(settings.kafka_client(servers))
    names = [*topics.inputs, topics.activity, topics.dead_letters]
    for deletions in (
        admin.delete_topics(names, request_timeout=_ANSWER_SECONDS),
        admin.delete_consumer_groups([settings.group_id], request_timeout=_ANSWER_SECONDS),
    ):
        for deletion in deletions.values():
            with suppress(KafkaException):
                deletion.result()
