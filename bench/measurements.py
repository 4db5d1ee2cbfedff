"""What is measured, one method a group of workloads that share tables and a worker."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench import copying
from bench.databases import copied_database, migrated_database, query
from bench.end_state import difference, read_state
from bench.goals import ALONE, EMPTY
from bench.growth import grow
from bench.history import real_history
from bench.latency import measure_latency
from bench.peer import run_row_by_row
from bench.place import Place, Run, open_place
from bench.profiling.statements import logged_statements
from bench.results import Row
from bench.worker import PRODUCT
from bench.workloads import Shape, Workload, fresh_releases, resolving_releases
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.sizes import Sizes
    from consumer.services import Services
    from consumer.settings import Settings

_SHARE_OF_RATE = 0.1
_FILES = 3
_SETTLED_SECONDS = 60.0
_PAUSE_SECONDS = 0.1
_SHARES = """
    SELECT count(*) FILTER (WHERE topic = %s) FROM consumer_offset GROUP BY owner ORDER BY owner
"""


class Measurements:
    """Measures workloads, each in a database and topics of its own.

    Args:
        services: where Kafka, PostgreSQL and Redis answer.
        settings: of the benchmark.
        sizes: how much is measured.
        shape: of the events of W1, W3 and W4; W2 has the same with files.
        progress: told, in words for a person, what happens.
    """

    def __init__(
        self, services: Services, settings: Settings, sizes: Sizes, shape: Shape, progress: Callable[[str], None]
    ) -> None:
        self._services = services
        self._settings = settings
        self._sizes = sizes
        self._shape = shape
        self._progress = progress
        self.rows: list[Row] = []

    def fresh_and_replayed(self) -> None:
        """W1 with the limit and the row-by-row version; then, with the same worker, W3, the latency, two workers."""
        sizes = self._sizes
        workload = fresh_releases("W1", self._shape, first=sizes.first, measured=sizes.events)
        with open_place(self._services, self._settings) as place:
            place.start_worker()
            rate = self._beside_others(workload, place).events_per_second
            replayed = place.run(workload.measured * sizes.replays, changing=False)
            self._add_worker("W3", place, replayed)
            self._latency(place, rate * _SHARE_OF_RATE)
            self._two_workers(place)

    def with_files(self) -> None:
        """W2."""
        shape = replace(self._shape, files=self._shape.files or _FILES)
        self._measure(fresh_releases("W2", shape, first=self._sizes.first, measured=self._sizes.events))

    def resolving(self) -> None:
        """W4."""
        sizes = self._sizes
        workload = resolving_releases("W4", self._shape, first=sizes.first, measured=sizes.resolving)
        with open_place(self._services, self._settings) as place:
            place.seed(workload.catalog)
            with copied_database(self._services.database_url, place.database_url) as url:
                place.start_worker()
                self._beside_row_by_row(workload, place, url)

    def real(self) -> str:
        """W5; returns where the history is from."""
        workload, source = real_history(organizations=self._sizes.organizations, first=self._sizes.releases_first)
        self._measure(workload)
        return source

    def growth(self) -> None:
        """W1 in tables that hold many commits already; right after it in empty ones: rates of minutes apart differ."""
        sizes = self._sizes
        workload = fresh_releases("W1 grown", self._shape, first=sizes.first, measured=sizes.events)
        with open_place(self._services, self._settings) as place:
            place.start_worker()
            place.run(workload.first)
            commits = grow(place.database_url, sizes.growth, self._progress)
            self._add_worker("W1 grown", place, place.run(workload.measured), commitsBefore=commits)
        with open_place(self._services, self._settings) as place:
            place.start_worker()
            place.run(workload.first)
            self._add_worker(EMPTY, place, place.run(workload.measured))

    def profile(self, folder: Path, log: Path) -> None:
        """W1 once more, with a worker that is profiled; slower for it.

        Args:
            folder: where the profiles of its threads are written, and the time of PostgreSQL by statement.
            log: the log file of PostgreSQL.
        """
        workload = fresh_releases("W1", self._shape, first=self._sizes.first, measured=self._sizes.events)
        with (
            open_place(self._services, self._settings) as place,
            logged_statements(place.database_url, log) as lines,
        ):
            place.start_worker(("-m", "bench.profiling", str(folder)))
            place.run(workload.first)
            place.run(workload.measured)
            place.stop_workers()
        (folder / "postgresql.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._progress(f"profile: see {folder}")

    # --- one workload ----------------------------------------------------------------------------------------

    def _measure(self, workload: Workload) -> None:
        with open_place(self._services, self._settings) as place:
            place.start_worker(PRODUCT)
            self._beside_others(workload, place)

    def _beside_others(self, workload: Workload, place: Place) -> Row:
        """The worker, the row-by-row version, COPY of the worker's rows; returns the worker's row."""
        with migrated_database(self._services.database_url) as url:
            row = self._beside_row_by_row(workload, place, url)
        rows = copying.dump(place.database_url)
        events = len(workload.first) + len(workload.measured)
        seconds = []
        for _ in range(self._sizes.copies):
            with migrated_database(self._services.database_url) as url:
                seconds.append(copying.load(url, rows, events=events, batch_size=self._settings.batch_size))
        self._add(Row(workload.name, "copy", events, statistics.median(seconds)))
        return row

    def _beside_row_by_row(self, workload: Workload, place: Place, url: str) -> Row:
        """The worker, and the row-by-row version in another database, which must end with the same rows."""
        place.run(workload.first)
        state = read_state(place.database_url)
        row = self._add_worker(workload.name, place, place.run(workload.measured))
        self._add(run_row_by_row(workload.name, url, workload.first))
        differs = difference(state, read_state(url))
        if differs is not None:
            message = f"{workload.name}: the worker and the row-by-row version disagree about {differs}"
            raise UsageError(message)
        return row

    def _latency(self, place: Place, events_per_second: float) -> None:
        count = max(1, round(events_per_second * self._sizes.latency_seconds))
        workload = fresh_releases("latency", self._shape, first=0, measured=count)
        begun, cpu_before = time.perf_counter(), place.cpu_seconds()
        latency = measure_latency(place.settings, workload.measured, events_per_second)
        run = Run(count, time.perf_counter() - begun, place.cpu_seconds() - cpu_before)
        figures = {"medianMs": round(latency.median_ms, 1), "p99Ms": round(latency.p99_ms, 1)}
        self._add_worker("latency", place, run, **figures)

    def _two_workers(self, place: Place) -> None:
        """W1 with one worker, at once with two."""
        sizes = self._sizes
        workload = fresh_releases("one worker", self._shape, first=0, measured=sizes.events)
        self._add_worker(ALONE, place, place.run(workload.measured))
        workload = fresh_releases("two workers", self._shape, first=sizes.first, measured=sizes.events)
        place.start_worker()
        deadline = time.monotonic() + _SETTLED_SECONDS
        while len(shares := self._shares(place)) != len(place.workers):
            if time.monotonic() > deadline:
                message = f"the second worker had no partition after {_SETTLED_SECONDS:.0f} s"
                raise UsageError(message)
            time.sleep(_PAUSE_SECONDS)  # Kafka tells nobody that a rebalance is over
        place.run(workload.first)
        self._add_worker("W1 two workers", place, place.run(workload.measured), releasePartitions=shares)

    @staticmethod
    def _shares(place: Place) -> list[int]:
        """How many partitions of release events each worker has; the group also spreads those of catalog events."""
        return [count for (count,) in query(place.database_url, _SHARES, (place.settings.topics.release_events,))]

    # --- rows ------------------------------------------------------------------------------------------------

    def _add_worker(self, workload: str, place: Place, run: Run, **more: Any) -> Row:
        more["cpuMsPerEvent"] = round(run.cpu_seconds * 1000 / run.events, 3)
        row = Row(workload, "release-consumer", run.events, run.seconds, place.resident_mib(), more)
        self._add(row)
        return row

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        more = "".join(f", {name} {value}" for name, value in row.more.items())
        self._progress(f"{row.workload}: {row.system} {row.events_per_second:,.0f} events/s{more}")
