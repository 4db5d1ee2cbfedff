"""The peers of the benchmark do the same work: the row-by-row version and COPY end with the worker's rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bench import copying
from bench.databases import administer, copied_database, migrated_database
from bench.end_state import difference, read_state
from bench.peer import run_row_by_row
from bench.workloads import Shape, Workload, fresh_releases, resolving_releases
from consumer.client import Documents
from consumer.contracts.events import CommitData, ExternalIssueData
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.client import Document
    from consumer.services import Services


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[DirectApplier]:
    applier = DirectApplier(database_url, services.redis_url)
    yield applier
    applier.close()


def _special_cases() -> Workload:
    """What real histories hold: commits of several releases, repeats, ignored ones, missing fields, groups."""
    made = Documents("bench")
    catalog = [
        made.group_updated(
            organization="acme",
            project="web",
            short_id="WEB-1",
            inbox="new",
            external_issues=[ExternalIssueData("github", "acme/web#1", "https://example.com/1")],
        ),
        made.group_updated(organization="acme", project="api", short_id="API-1", inbox="new"),
        made.pull_request_merged(
            organization="acme",
            repository="acme/web",
            number=7,
            merge_commit_sha="c3",
            message="Fixes API-1, WEB-1",
            author_name="Ada",
            author_email="Ada@example.com",
        ),
    ]
    web, ada, day = "acme/web", "ada@example.com", datetime(2026, 1, 1, tzinfo=UTC)
    shared = CommitData("c1", web, "Fixes WEB-1 and WEB-2", "Ada", ada, day, [("a", "A")])
    releases = [
        [shared, CommitData("c2", None, None, "No Address", timestamp=day + timedelta(hours=1)), shared],
        [CommitData("c3", web, "Merge", "Ada L", ada.upper(), day, [("a", "M"), ("b", "D")]), shared],
        [CommitData("c4", web, "not this #skipsentry", "Ada", ada, day)],
    ]
    events: list[Document] = []
    for number, commits in enumerate(releases):
        events += [
            made.release_created(organization="acme", version=f"web@1.{number}", projects=["web"], ref="main"),
            made.commits_pushed(organization="acme", version=f"web@1.{number}", projects=["api"], commits=commits),
        ]
    return Workload("special", [*events, events[0]], [], catalog)


@pytest.mark.parametrize(
    "workload",
    [
        fresh_releases("W1", Shape(commits=3), first=40, measured=0),
        fresh_releases("W2", Shape(commits=3, files=2), first=40, measured=0),
        resolving_releases("W4", Shape(commits=2), first=30, measured=0),
        _special_cases(),
    ],
    ids=lambda workload: workload.name,
)
def test_row_by_row_leaves_what_the_product_leaves(
    services: Services, database_url: str, applier: DirectApplier, workload: Workload
) -> None:
    applier.apply(workload.catalog)
    applier.engine.dispose()
    with copied_database(services.database_url, database_url) as url:
        applier.apply(workload.first)
        run_row_by_row(workload.name, url, workload.first)
        ours, theirs = read_state(database_url), read_state(url)
    assert difference(ours, theirs) is None
    assert ours["logs"]


def test_a_difference_is_seen(database_url: str, applier: DirectApplier) -> None:
    applier.apply(fresh_releases("W1", Shape(commits=2), first=3, measured=0).first)
    before = read_state(database_url)
    administer(database_url, "UPDATE release_commit SET position = 2 - position")
    found = difference(before, read_state(database_url))
    assert found is not None
    assert found.startswith("logs: 6 and 6 rows")


def test_copy_loads_every_row(services: Services, database_url: str, applier: DirectApplier) -> None:
    applier.apply(resolving_releases("W4", Shape(commits=2), first=7, measured=0).catalog)
    applier.apply(resolving_releases("W4", Shape(commits=2, files=1), first=7, measured=0).first)
    dumped = copying.dump(database_url)
    with migrated_database(services.database_url) as url:
        copying.load(url, dumped, events=7, batch_size=2)
        assert difference(read_state(database_url), read_state(url)) is None
        counts = {table.table: len(table.rows) for table in dumped}
        assert {table.table: len(table.rows) for table in copying.dump(url)} == counts
    assert counts["consumer_offset"] == 1
    assert counts["activity"] == 7 * 2 + 7 * 2
