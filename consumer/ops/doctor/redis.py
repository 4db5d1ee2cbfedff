"""Redis: a cache and a lock; without it a worker is slower, never wrong (SEMANTICS sections 4 and 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis import RedisError, ResponseError

from consumer.errors import SettingsError, first_line
from consumer.ids.redis_client import connect_redis
from consumer.ops.doctor.report import Area

if TYPE_CHECKING:
    from redis import Redis

    from consumer.ops.doctor.report import Line

_OLDEST = (6, 0)
_KEEPS = "noeviction"


def examine_redis(redis_url: str, timeout_seconds: float) -> list[Line]:
    """What is to be said of the server; that it does not answer is no reason to fail."""
    area = Area("redis")
    try:
        with connect_redis(redis_url, timeout_seconds=timeout_seconds) as client:
            info: dict[str, Any] = client.info()
            snapshots = _snapshots(client)
    except SettingsError as error:
        finding, _, remedy = str(error).rpartition("; ")
        area.fail("address", finding, remedy)
        return area.lines
    except RedisError as error:
        area.warn(
            "connection",
            first_line(error),
            "start it: until then ids come from PostgreSQL, and releases are locked there only",
        )
        return area.lines
    told = str(info.get("valkey_version") or info.get("redis_version"))
    version = tuple(int(part) for part in str(info.get("redis_version", "0")).split(".")[:2])
    area.judge("version", told, fail="" if version >= _OLDEST else "use Redis 6 or newer, or Valkey")
    policy = str(info.get("maxmemory_policy", _KEEPS))
    area.judge(
        "maxmemory-policy",
        policy,
        warn="" if policy == _KEEPS else f"set it to {_KEEPS}: sequences of ids and locks are evicted under pressure",
    )
    area.ok("persistence", _persistence(info, snapshots))
    return area.lines


def _persistence(info: dict[str, Any], snapshots: str | None) -> str:
    if info.get("aof_enabled"):
        return "every write is appended to a file"
    if snapshots is None:
        return "the server does not tell; without it ids go on from the clock after a restart, none comes twice"
    return "snapshots now and then" if snapshots else "off: after a restart ids go on from the clock, none comes twice"


def _snapshots(client: Redis) -> str | None:
    """When the server writes snapshots, empty for never; ``None`` where it does not tell."""
    try:
        found: Any = client.config_get("save")
    except ResponseError:
        return None
    return str(found.get("save", ""))
