"""What the figures were measured on: they mean nothing without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import confluent_kafka
import psutil
import sqlalchemy

from bench.databases import query
from consumer.services import versions

if TYPE_CHECKING:
    from consumer.services import Services
    from consumer.settings import Settings

_POSTGRESQL_SETTINGS = (
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
)
_GIBIBYTE = 1024**3


def machine() -> dict[str, Any]:
    """The machine that everything runs on."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / _GIBIBYTE, 1),
        "python": platform.python_version(),
    }


def settings_of(services: Services, settings: Settings) -> dict[str, Any]:
    """Versions of the servers and clients, and the settings that matter for speed and for durability."""
    named = settings.kafka_bootstrap_servers is not None
    ((version,),) = query(services.database_url, "SHOW server_version")
    return {
        "kafka": "named by the settings" if named else versions.KAFKA,
        "postgresql": version,
        "librdkafka": confluent_kafka.libversion()[0],
        "sqlalchemy": sqlalchemy.__version__,
        "batchSize": settings.batch_size,
        "topicPartitions": settings.topic_partitions,
        **{name: query(services.database_url, f"SHOW {name}")[0][0] for name in _POSTGRESQL_SETTINGS},
    }


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
