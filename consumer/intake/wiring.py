"""Putting a worker together from the settings: the one place that knows all its parts."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import RedisError
from sqlalchemy import event

from consumer.announce.announcer import Announcer
from consumer.announce.group_offsets import GroupOffsets
from consumer.announce.producer import make_producer
from consumer.ids.breaker import CircuitBreaker
from consumer.ids.factory import snowflake_ids
from consumer.ids.lock import ReleaseLocks, release_lock_key
from consumer.ids.redis_client import connect_redis
from consumer.intake.apply_thread import ApplyThread
from consumer.intake.applying import Applier
from consumer.intake.caught_up import Target
from consumer.intake.claiming import Claims
from consumer.intake.kafka import Cluster, make_consumer
from consumer.intake.retention import Retention
from consumer.intake.startup import wait_for
from consumer.intake.topic_watch import TopicWatch
from consumer.intake.worker import Worker
from consumer.store.database import address_of, connect
from consumer.store.id_supply import IdSupply
from consumer.store.migrating import require_migrated
from consumer.store.overdue import break_overdue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg2.extensions
    from sqlalchemy import Engine

    from consumer.health import Health
    from consumer.settings import Settings

log = logging.getLogger(__name__)

_POOL_SIZE = 5
"""Connections: applying, announcing, retention, chores, and ids while Redis is away."""

_STOP_SECONDS = 0.5

_ANSWER_GRACE_SECONDS = 2.0
"""How much longer than for a statement PostgreSQL is waited for."""


class Addresses(Protocol):
    """Where the services answer (``consumer.services.Services``)."""

    @property
    def kafka_bootstrap_servers(self) -> str:
        """``host:port``, comma separated."""

    @property
    def database_url(self) -> str:
        """PostgreSQL, with its password."""

    @property
    def redis_url(self) -> str:
        """Redis."""


@contextmanager
def open_worker(
    settings: Settings, addresses: Addresses, health: Health
) -> Iterator[tuple[Worker, Callable[[], Target]]]:
    """A worker on its services, which are waited for within ``startup_timeout_seconds``.

    Redis is not waited for: without it ids come from PostgreSQL and releases are locked there only.

    Args:
        settings: everything that can be set.
        addresses: where the services answer.
        health: is told of progress.

    Yields:
        the worker, and what makes the target of a run that ends when it has caught up.

    Raises:
        ServiceUnavailable: PostgreSQL or Kafka did not answer in time; says what was tried.
        KafkaException: Kafka's client or Kafka refuses what is asked; waiting would not help.
        UsageError: the database or a topic is not set up; names the remedy.
    """
    patience = settings.startup_timeout_seconds
    engine = connect(addresses.database_url, application_name=settings.instance_name, pool_size=_POOL_SIZE)
    _give_way(engine, settings)
    cluster = Cluster(settings, addresses.kafka_bootstrap_servers)  # first: it refuses wrong properties at once
    wait_for("PostgreSQL", address_of(addresses.database_url), lambda: require_migrated(engine), patience)
    topics = settings.topics
    names = [*topics.inputs, topics.activity, topics.dead_letters]
    wait_for("Kafka", addresses.kafka_bootstrap_servers, lambda: cluster.topics(names), patience)
    client = connect_redis(addresses.redis_url, timeout_seconds=settings.redis_timeout_seconds)
    try:
        client.ping()
    except RedisError as error:
        log.warning("Redis does not answer, going on without it: %s", error)
    breaker = CircuitBreaker()
    supply = IdSupply(snowflake_ids(settings, client, engine, breaker))
    locks = ReleaseLocks(client, settings.lock_seconds, breaker)
    applier = Applier(engine, supply, locks, release_lock_key, settings)
    consumer = make_consumer(settings, addresses.kafka_bootstrap_servers)
    group = GroupOffsets(settings, addresses.kafka_bootstrap_servers)
    announcer = Announcer(
        group,
        lambda: make_producer(settings, addresses.kafka_bootstrap_servers),
        engine,
        settings,
        applier.recorder.note_announced,
    )
    retention = Retention(engine, settings, applier.recorder.announced)
    retention.start()
    try:
        yield (
            Worker(
                settings,
                consumer,
                Claims(settings, cluster, engine),
                engine,
                ApplyThread(applier, engine, settings),
                announcer,
                health,
                TopicWatch(cluster, topics.inputs),
            ),
            lambda: Target(settings, cluster, engine),
        )
    finally:
        retention.stop(_STOP_SECONDS)
        group.close()
        client.close()
        engine.dispose()


def _give_way(engine: Engine, settings: Settings) -> None:
    """Let nothing wait for ever: neither others for a transaction of this worker, nor this worker for PostgreSQL.

    A worker that is stopped in a transaction, or whose machine is gone, holds the rows of its partitions. PostgreSQL
    ends the transaction where it idles between two statements, and a statement that takes too long. In a COPY whose
    data does not come it waits for it without any time-out (tried with PostgreSQL 18; ``statement_timeout`` and
    ``transaction_timeout`` wait, too): that one a successor ends, ``Claims.claim``.
    """
    idle_seconds = 2 * settings.session_timeout_seconds
    break_overdue(engine, settings.statement_timeout_seconds + _ANSWER_GRACE_SECONDS)

    @event.listens_for(engine, "connect")
    def set_limits(connection: psycopg2.extensions.connection, _: object) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('statement_timeout', %s, false),"
                " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),"
                " set_config('tcp_keepalives_count', '2', false), set_config('tcp_user_timeout', '15s', false)",
                (f"{idle_seconds * 1000:.0f}ms", f"{settings.statement_timeout_seconds * 1000:.0f}ms"),
            )
