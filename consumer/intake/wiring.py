"""Putting a worker together from the settings: the one place that knows all its parts."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import RedisError
from sqlalchemy import event

from consumer.announce.announcer import Announcer
from consumer.announce.producer import make_producer
from consumer.ids.breaker import CircuitBreaker
from consumer.ids.factory import snowflake_ids
from consumer.ids.lock import ReleaseLocks, release_lock_key
from consumer.ids.redis_client import connect_redis
from consumer.intake.apply_thread import ApplyThread
from consumer.intake.applying import Applier
from consumer.intake.caught_up import Target
from consumer.intake.claiming import Claims
from consumer.intake.kafka import Cluster, make_consumer, make_group_reader
from consumer.intake.startup import wait_for
from consumer.intake.worker import Worker
from consumer.store.database import address_of, connect
from consumer.store.id_supply import IdSupply
from consumer.store.migrating import require_migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg2.extensions
    from sqlalchemy import Engine

    from consumer.settings import Settings

log = logging.getLogger(__name__)

_POOL_SIZE = 4
"""Connections: applying, announcing, chores, and ids while Redis is away."""


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
def open_worker(settings: Settings, addresses: Addresses) -> Iterator[tuple[Worker, Callable[[], Target]]]:
    """A worker on its services, which are waited for within ``startup_timeout_seconds``.

    Redis is not waited for: without it ids come from PostgreSQL and releases are locked there only.

    Args:
        settings: everything that can be set.
        addresses: where the services answer.

    Yields:
        the worker, and what makes the target of a run that ends when it has caught up.

    Raises:
        ServiceUnavailable: PostgreSQL or Kafka did not answer in time; says what was tried.
        UsageError: the database or a topic is not set up; names the remedy.
    """
    patience = settings.startup_timeout_seconds
    engine = connect(addresses.database_url, application_name=settings.instance_name, pool_size=_POOL_SIZE)
    _give_way(engine, 2 * settings.session_timeout_seconds)
    wait_for("PostgreSQL", address_of(addresses.database_url), lambda: require_migrated(engine), patience)
    cluster = Cluster(settings, addresses.kafka_bootstrap_servers)
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
    group = make_group_reader(settings, addresses.kafka_bootstrap_servers)
    announcer = Announcer(
        group,
        lambda: make_producer(settings, addresses.kafka_bootstrap_servers),
        engine,
        settings,
        applier.announced,
    )
    try:
        yield (
            Worker(
                settings,
                consumer,
                Claims(settings, cluster, engine),
                engine,
                ApplyThread(applier, engine, settings),
                announcer,
            ),
            lambda: Target(settings, cluster, engine),
        )
    finally:
        group.close()
        client.close()
        engine.dispose()


def _give_way(engine: Engine, idle_seconds: float) -> None:
    """Let PostgreSQL end the transaction of a worker that was stopped in it, or whose machine is gone.

    It holds the rows of its partitions: without this another worker could not take them over for hours.
    """
    milliseconds = round(idle_seconds * 1000)

    @event.listens_for(engine, "connect")
    def set_limits(connection: psycopg2.extensions.connection, _: object) -> None:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),"
                " set_config('tcp_keepalives_count', '2', false)",
                (f"{milliseconds}ms",),
            )
