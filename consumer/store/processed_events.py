"""Ids of events that took effect: a publisher that sends again changes nothing (SEMANTICS section 6)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from consumer.store.copying import copy_rows
from consumer.store.database import Cursor, sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from consumer.contracts.events import Event


def event_digest(event: Event) -> str:
    """What an event is remembered by: a digest of its ``source`` and ``id``, in 32 hexadecimal digits."""
    return digest_of(event.source, event.id)


def digest_of(source: str, id_: str) -> str:
    """What the event of this CloudEvents ``source`` and ``id`` is remembered by."""
    return blake2b(f"{source}\0{id_}".encode(), digest_size=16).hexdigest()


def find_processed(cursor: Cursor, digests: Iterable[str]) -> set[str]:
    """Those of the digests that are remembered."""
    wanted = list(digests)
    if not wanted:
        return set()
    cursor.execute(sql("find_processed"), {"digests": _array(wanted)})
    return {digest for (digest,) in cursor.fetchall()}


def find_fingerprints(cursor: Cursor, digests: Iterable[str]) -> dict[str, str | None]:
    """The fingerprints of the records by which those of the digests that are remembered were seen first."""
    wanted = list(digests)
    if not wanted:
        return {}
    cursor.execute(sql("find_fingerprints"), {"digests": _array(wanted)})
    return dict(cursor.fetchall())


def find_places(cursor: Cursor, digests: Iterable[str]) -> dict[str, tuple[int, int]]:
    """By which record (stream id, offset) those of the digests that are remembered were seen first."""
    wanted = list(digests)
    if not wanted:
        return {}
    cursor.execute(sql("find_places"), {"digests": _array(wanted)})
    return {digest: (stream_id, offset) for digest, stream_id, offset in cursor.fetchall()}


def remember(cursor: Cursor, records: Mapping[str, tuple[int, int, str]], now: datetime) -> None:
    """Remember events (digest -> stream id, offset and fingerprint of the record).

    Raises:
        psycopg2.IntegrityError: another worker has remembered one of them meanwhile.
    """
    copy_rows(
        cursor,
        "processed_event",
        'digest, processed_at, offset_id, "offset", fingerprint',
        [(digest, now, *record) for digest, record in records.items()],
    )


def forget(cursor: Cursor, digests: Iterable[str]) -> None:
    """Forget events that became dead letters, so that the same id may come again, mended."""
    wanted = list(digests)
    if wanted:
        cursor.execute(sql("forget_processed"), {"digests": _array(wanted)})


def _array(digests: Iterable[str]) -> str:
    """An array as PostgreSQL reads it. Of a Python list the driver makes an expression, which both take long over."""
    return "{" + ",".join(digests) + "}"
