"""Apply the events on stdin, a CloudEvent a line, to the database that ``BENCH_DATABASE_URL`` names.

Prints one JSON object: events and seconds, after a warm-up, and the most memory that was resident.
"""

from __future__ import annotations

import os
import sys
import time

import orjson
from sqlalchemy.orm import Session

from bench.row_by_row.rules import apply_event
from bench.worker import resident_mib
from consumer.contracts import CommitsPushed, ReleaseCreated, decode
from consumer.store.database import connect

_MAX_BYTES = 20 * 1024 * 1024


def main() -> None:
    """Apply all events, one transaction each."""
    values = sys.stdin.buffer.read().splitlines()
    warm_up = min(10, len(values) // 2)
    engine = connect(os.environ["BENCH_DATABASE_URL"], application_name="row-by-row")
    begun = 0.0
    for index, value in enumerate(values):
        if index == warm_up:
            begun = time.perf_counter()
        event = decode(value, None, max_bytes=_MAX_BYTES)
        if not isinstance(event, ReleaseCreated | CommitsPushed):
            raise TypeError(event.type)
        with Session(engine, autoflush=False, expire_on_commit=False) as session, session.begin():
            apply_event(session, event, index)
    seconds = time.perf_counter() - begun
    figures = {"events": len(values) - warm_up, "seconds": seconds, "residentMiB": resident_mib(os.getpid())}
    sys.stdout.buffer.write(orjson.dumps(figures))


main()
