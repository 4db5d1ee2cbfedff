"""How many statements a batch sends: as many for one event as for hundreds of the same kinds.

What may differ is the reservation of ids: per batch at most two statements more, however many blocks they take, one
when the rows are known and one when the announcements are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg2.extensions
import pytest
from sqlalchemy import event

from consumer.contracts.events import CommitData, CommitsPushed, ExternalIssueData, GroupUpdated, PullRequestMerged
from consumer.ids.layout import LAYOUTS
from consumer.ids.redis_client import connect_redis
from consumer.ids.snowflake import generate_snowflake_ids
from tests.model.strategies import as_cloudevent
from tests.support.differences import differences
from tests.support.direct import DirectApplier
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services

DAWN = datetime(2025, 1, 1, tzinfo=UTC)
RESERVATION = "SELECT t, nextval("
MOST_STATEMENTS = 75  # a batch that changes stored commits reads them once more, with its organizations to itself
SIZES = [(1, 1), (50, 10), (200, 25)]


class Counting:
    """An applier whose statements are counted."""

    def __init__(self, applier: DirectApplier) -> None:
        self._applier = applier
        self._sent: list[str] = []
        sent = self._sent

        class Cursor(psycopg2.extensions.cursor):
            def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 - psycopg2 calls it so
                sent.append(query)
                super().execute(query, vars)

            def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
                sent.append(sql)
                super().copy_expert(sql, file, size)

        def count(connection: Any, _record: Any) -> None:
            connection.cursor_factory = Cursor

        applier.engine.dispose()
        event.listen(applier.engine, "connect", count)
        with applier.engine.connect():
            pass  # the pool asks a new connection about itself: that is none of a batch's statements

    def apply(self, events: list[AnyEvent]) -> list[str]:
        """Apply a batch and return its statements without reservations of ids, of which there are at most two."""
        documents = [as_cloudevent(event) for event in events]
        self._sent.clear()
        self._applier.apply(documents)
        statements = [statement for statement in self._sent if not statement.startswith(RESERVATION)]
        assert len(self._sent) - len(statements) <= 2
        return statements


@pytest.fixture
def applier(services: Services, database_url: str) -> Iterator[Counting]:
    direct = DirectApplier(database_url, services.redis_url)
    # One that has just started gives none at first, so that the database does: by statements of its own.
    redis, settings = connect_redis(services.redis_url, timeout_seconds=1), direct.settings
    layout, region = LAYOUTS[settings.snowflake_layout], settings.snowflake_region
    wait_until(lambda: generate_snowflake_ids(redis, layout, region, 1), "ids from Redis")
    yield Counting(direct)
    direct.close()


def push(organization: str, number: int, commits: list[CommitData], say: str = "", version: str = "") -> CommitsPushed:
    return CommitsPushed(
        id=f"push-{number}-{say}",
        source="/ci",
        organization=organization,
        version=version or f"1.{number}",
        projects=["web"],
        commits=commits,
    )


def commits(event_number: int, count: int, say: str) -> list[CommitData]:
    return [
        CommitData(
            f"{event_number:020x}{number:020x}",
            "acme/web",
            f"{say} WEB-{event_number}",
            author_name=f"{say} {number}",
            author_email=f"{number}@example.com",
            timestamp=DAWN - timedelta(hours=number),
            patch_set=[(f"{say}.py", "A")],
        )
        for number in range(count)
    ]


def pushes(organization: str, events: int, commits_each: int, say: str, attempt: str = "") -> list[AnyEvent]:
    return [push(organization, n, commits(n, commits_each, say), f"{say}{attempt}") for n in range(events)]


def catalog(organization: str, events: int, say: str) -> list[AnyEvent]:
    """As many groups with an external issue, and pull requests that are merged by a commit of a push."""
    groups = [
        GroupUpdated(
            id=f"group-{number}-{say}",
            source="/tracker",
            organization=organization,
            project="web",
            short_id=f"WEB-{number}",
            title=say,
            inbox="new",
            external_issues=[ExternalIssueData("jira", f"X-{number}")],
        )
        for number in range(events)
    ]
    pulls = [
        PullRequestMerged(
            id=f"pull-{number}-{say}",
            source="/tracker",
            organization=organization,
            repository="acme/web",
            number=str(number),
            merge_commit_sha=f"{number:020x}{0:020x}",
            title=f"{say} WEB-{number}",
            author_name=say,
            author_email="merger@example.com",
        )
        for number in range(events)
    ]
    return [*groups, *pulls]


def test_the_number_of_statements_does_not_depend_on_the_number_of_events_and_commits(applier: Counting) -> None:
    rounds = {
        size: [
            applier.apply(pushes(organization, *size, "Fixes")),
            applier.apply(catalog(organization, size[0], "Fixes")),
            applier.apply(pushes(organization, *size, "Mentions")),
            applier.apply(pushes(organization, *size, "Mentions", "again")),
            applier.apply(pushes(organization, *size, "Fixes", "again") + catalog(organization, size[0], "Mentions")),
        ]
        for organization, size in zip(("one", "some", "many"), SIZES, strict=True)
    }
    one, some, many = rounds.values()
    assert list(differences(some, one)) == []
    assert list(differences(many, one)) == []
    assert max(map(len, one)) < MOST_STATEMENTS


def test_more_events_of_one_version_key_add_no_statement(applier: Counting) -> None:
    applier.apply([push("acme", 0, commits(0, 5, "Fixes"))])
    one, many = (
        applier.apply(
            [
                push("acme", number, commits(0, number + 6, f"{say} {number}"), say, version="1.0")
                for number in range(events)
            ]
        )
        for say, events in (("Fixes", 1), ("Closes", 50))
    )
    assert many == one
