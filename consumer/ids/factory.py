"""Snowflake ids as the settings ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.errors import SettingsError
from consumer.ids.fallback import PostgresFallback
from consumer.ids.layout import LAYOUTS
from consumer.ids.snowflake import SnowflakeIds

if TYPE_CHECKING:
    import redis
    from sqlalchemy import Engine

    from consumer.ids.breaker import CircuitBreaker
    from consumer.settings import Settings


def snowflake_ids(
    settings: Settings, client: redis.Redis, engine: Engine, breaker: CircuitBreaker | None = None
) -> SnowflakeIds:
    """Make the source of ids of the configured layout and region, with PostgreSQL as the fallback.

    Args:
        settings: ``snowflake_layout`` and ``snowflake_region``.
        client: see ``connect_redis``.
        engine: the fallback takes a connection of its pool, only while it is needed.
        breaker: to share with the release locks.

    Raises:
        SettingsError: the region does not fit the layout or is reserved.
    """
    layout, region = LAYOUTS[settings.snowflake_layout], settings.snowflake_region
    try:
        return SnowflakeIds(client, PostgresFallback(engine, layout, region), layout, region, breaker)
    except ValueError as error:
        highest = layout.region.capacity - 1 - (layout.fallback_region is not None)
        msg = f"RELEASE_CONSUMER_SNOWFLAKE_REGION: {error}; layout {layout.name} has regions 0 to {highest}"
        raise SettingsError(msg) from None
