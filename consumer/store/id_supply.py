"""Ids for new rows: snowflakes for organizations, projects, releases and groups; blocks of sequences for the rest."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Protocol

from consumer.store.tables import ID_BLOCK, SEQUENCED_TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.store.database import Cursor

SNOWFLAKE_TABLES = frozenset({"organization", "project", "release", "issue_group"})
TABLES_WITH_IDS = SNOWFLAKE_TABLES | frozenset(SEQUENCED_TABLES)


class SnowflakeSource(Protocol):
    """Gives snowflake ids, many in one round trip (``consumer.ids``)."""

    def take(self, count: int) -> list[int]:
        """So many ids, ascending."""


class IdSupply:
    """Ids that a worker holds ready. Ids that a rolled back batch took are lost, never given twice.

    Args:
        snowflakes: where snowflake ids come from.
    """

    def __init__(self, snowflakes: SnowflakeSource) -> None:
        self._snowflakes = snowflakes
        self._ready: defaultdict[str, deque[int]] = defaultdict(deque)

    def reserve(self, cursor: Cursor, counts: Mapping[str, int]) -> None:
        """Hold at least so many ids of each table ready: one round trip to each source, at most.

        Snowflakes that an earlier batch left over are dropped: ids keep the order of time.
        """
        snowflakes = sum(count for table, count in counts.items() if table in SNOWFLAKE_TABLES)
        fresh = deque(self._snowflakes.take(snowflakes)) if snowflakes > 0 else deque()
        self._ready.update(dict.fromkeys(SNOWFLAKE_TABLES, fresh))
        blocks = []
        for table, count in counts.items():
            if table not in SNOWFLAKE_TABLES and count > len(self._ready[table]):
                blocks += [table] * -((len(self._ready[table]) - count) // ID_BLOCK)
        if blocks:
            cursor.execute("SELECT t, nextval(t || '_id_seq') FROM unnest(%s::text[]) AS t", (blocks,))
            for table, first in cursor.fetchall():
                self._ready[table].extend(range(first, first + ID_BLOCK))

    def next(self, table: str) -> int:
        """The next id of a table that was reserved."""
        return self._ready[table].popleft()
