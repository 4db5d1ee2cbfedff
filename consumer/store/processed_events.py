"""Ids of events that took effect: a publisher that sends again changes nothing (SEMANTICS section 6)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING
from uuid import UUID

from consumer.store.copying import copy_rows
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from consumer.contracts.events import Event


def event_digest(event: Event) -> UUID:
    """What an event is remembered by: a digest of its ``source`` and ``id``."""
    return digest_of(event.source, event.id)


def digest_of(source: str, id_: str) -> UUID:
    """What the event of this CloudEvents ``source`` and ``id`` is remembered by."""
    return UUID(bytes=blake2b(f"{source}\0{id_}".encode(), digest_size=16).digest())


def find_processed(cursor: Cursor, digests: Iterable[UUID]) -> set[UUID]:
    """Those of the digests that are remembered."""
    wanted = [str(digest) for digest in digests]
    if not wanted:
        return set()
    cursor.execute(sql("find_processed"), {"digests": wanted})
    return {UUID(digest) for (digest,) in cursor.fetchall()}


def remember(cursor: Cursor, digests: Iterable[UUID], now: datetime) -> None:
    """Remember events. One that another worker remembered meanwhile raises an integrity error."""
    copy_rows(cursor, "processed_event", "digest, processed_at", [(str(digest), now) for digest in digests])


def forget(cursor: Cursor, digests: Iterable[UUID]) -> None:
    """Forget events that became dead letters, so that the same id may come again, mended."""
    wanted = [str(digest) for digest in digests]
    if wanted:
        cursor.execute(sql("forget_processed"), {"digests": wanted})
