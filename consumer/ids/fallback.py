"""Snowflake ids from PostgreSQL, for as long as Redis gives none (SEMANTICS section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.errors import NoAvailableId
from consumer.ids.layout import EPOCH, Layout, Source
from consumer.ids.scripts import sql

if TYPE_CHECKING:
    from sqlalchemy import Engine

TICK_BITS = 17
"""The sequence counts ticks of 1/2**17 s, so that it means the same in every layout."""


class PostgresFallback:
    """Gives ids from the sequence ``snowflake_fallback_seq``: it follows PostgreSQL's clock, but never goes back.

    More ids than the layout has for the time that has passed come from seconds that are still to come.

    Args:
        engine: each call uses a connection of its own, with its own transaction: the pool needs one to spare.
        layout: at most 17 sequence bits.
        region: number of the configured region.
    """

    def __init__(self, engine: Engine, layout: Layout, region: int) -> None:
        layout.validate_region(region)
        self._engine = engine
        self._layout = layout
        self._region = region

    def __call__(self, count: int) -> list[int]:
        """Take ``count`` ids, ascending, in one round trip.

        Raises:
            NoAvailableId: the seconds of the layout are used up, or the clock is before the epoch.
            sqlalchemy.exc.SQLAlchemyError: PostgreSQL failed; ids that it took meanwhile are skipped for good.
        """
        sequence_bits = self._layout.sequence.bits
        step = 1 << (TICK_BITS - sequence_bits)
        first_value = self._take_ticks(count, step) // step
        ids: list[int] = []
        while len(ids) < count:
            second, sequence = divmod(first_value + len(ids), self._layout.sequence.capacity)
            if not 0 < second < self._layout.seconds.capacity:
                msg = "No available ID"
                raise NoAvailableId(msg)
            first = self._layout.compose(seconds=second, region=self._region, sequence=sequence, source=Source.FALLBACK)
            ids.extend(range(first, first + min(count - len(ids), self._layout.sequence.capacity - sequence)))
        return ids

    def _take_ticks(self, count: int, step: int) -> int:
        arguments = {"count": count, "step": step, "epoch": EPOCH, "ticks_per_second": 1 << TICK_BITS}
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            tick: int = connection.exec_driver_sql(sql("take_fallback_ticks"), arguments).scalar_one()
        return tick
