"""Applying events straight to PostgreSQL, without Kafka: for tests of what batches do to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson

from consumer.contracts.records import Record
from consumer.ids.factory import snowflake_ids
from consumer.ids.lock import ReleaseLocks, release_lock_key
from consumer.ids.redis_client import connect_redis
from consumer.intake.applying import Applier
from consumer.intake.batch import make_batch
from consumer.settings import Settings
from consumer.store import streams
from consumer.store.database import connect, transaction
from consumer.store.id_supply import IdSupply
from consumer.store.migrating import migrate
from consumer.store.streams import PartitionId, Stream
from consumer.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from consumer.intake.batch import Batch


class DirectApplier:
    """One stream of records that were never in Kafka.

    Args:
        database_url: an empty database; the tables are made.
        redis_url: for ids and locks.
        partition: streams of several appliers on one database need partitions of their own.
    """

    def __init__(self, database_url: str, redis_url: str, *, partition: int = 0, **settings: Any) -> None:
        self.settings = Settings(database_url=database_url, redis_url=redis_url, **settings)
        self.engine: Engine = connect(database_url, application_name="tests", pool_size=3)
        migrate(self.engine)
        client = connect_redis(redis_url, timeout_seconds=self.settings.redis_timeout_seconds)
        self.supply = IdSupply(snowflake_ids(self.settings, client, self.engine))
        self.applier = Applier(
            self.engine,
            self.supply,
            ReleaseLocks(client, self.settings.lock_seconds),
            release_lock_key,
            self.settings,
        )
        self._partition = PartitionId("cluster", "topic", "release-events", partition)
        self.stream = self.claim()
        self._next_offset = 0

    def claim(self) -> Stream:
        """Take the stream over, as a worker does that was assigned the partition."""
        with transaction(self.engine) as cursor:
            return streams.claim(cursor, self.settings.group_id, self._partition, f"tests-{uuid4()}", 0)

    def forget(self) -> None:
        """Empty the database and start again at offset 0."""
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"TRUNCATE {names}")
        self.stream = self.claim()
        self._next_offset = 0

    def apply(self, documents: Sequence[dict[str, Any] | bytes | None]) -> None:
        """Apply CloudEvents (or raw values) as one batch."""
        self.applier.apply(self.batch(documents))

    def batch(self, documents: Sequence[dict[str, Any] | bytes | None]) -> Batch:
        """Make a batch of CloudEvents (or raw values) that come next."""
        records = []
        start = self._next_offset
        for document in documents:
            value = orjson.dumps(document) if isinstance(document, dict) else document
            records.append(
                (self.stream, Record("release-events", self._partition.partition, self._next_offset, None, value))
            )
            self._next_offset += 1
        return make_batch(records, {self.stream.id: start}, self.settings)

    def close(self) -> None:
        """Close the connections to PostgreSQL."""
        self.engine.dispose()


def cloudevent(type_: str, /, **data: Any) -> dict[str, Any]:
    """An event of the organization ``acme``, with an id of its own."""
    required = {"specversion": "1.0", "id": uuid4().hex, "source": "/tests", "type": type_}
    return required | {"data": {"organization": "acme"} | data}
