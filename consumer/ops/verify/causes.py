"""Every event that caused something is remembered: else a publisher that sends it again repeats it (SEMANTICS 6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from consumer.ops.verify.checks import Check
from consumer.store.database import sql
from consumer.store.processed_events import digest_of, find_processed

if TYPE_CHECKING:
    from consumer.ops.verify.report import Fault, Row
    from consumer.settings import Settings
    from consumer.store.database import Cursor

_CHUNK = 5000
_MARGIN = timedelta(days=1)
"""An event that waited is remembered since it came, which is before what it caused."""

CAUSES = Check(
    "event-ids",
    "processed_event",
    "the id of an event that caused an activity is remembered, for as long as ids are kept",
    "rows were removed by hand: restore them; until then an event that a publisher sends again is applied again",
)


def check_causes(cursor: Cursor, settings: Settings) -> Fault | None:
    """Look the causes of all activities up, so many at a time as memory holds easily.

    Args:
        cursor: in the snapshot.
        settings: how long ids are kept.
    """
    since = datetime.now(UTC) - timedelta(days=settings.event_id_retention_days) + _MARGIN
    total = 0
    rows: list[Row] = []
    with cursor.connection.cursor("causes") as causes:
        causes.itersize = _CHUNK
        causes.execute(sql("verify_causes"), {"since": since})
        while chunk := causes.fetchmany(_CHUNK):
            missing = _missing(cursor, chunk)
            total += len(missing)
            rows += missing[: max(0, 20 - len(rows))]
    return CAUSES.fault(total, rows) if total else None


def _missing(cursor: Cursor, causes: list[tuple[str, str, int]]) -> list[Row]:
    asked: dict[str, Row] = {}
    for source, id_, activity_id in causes:
        row = {"source": source, "id": id_, "activity_id": activity_id}
        asked.setdefault(digest_of(source, id_), row)
    found = find_processed(cursor, asked)
    return [row | {"digest": digest} for digest, row in asked.items() if digest not in found]
