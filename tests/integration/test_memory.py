"""A worker takes a bounded memory, however long the backlog and however large an event. In large: make soak-memory."""

from __future__ import annotations

from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

import psycopg2
import pytest

from consumer.intake import applying
from consumer.store.database import transaction
from consumer.store.saving import save
from tests.conformance.builders import commit, pushed
from tests.model.cloudevents import as_cloudevent
from tests.support.bulk import peak_until_announced, publish_huge_event, publish_small_events
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumer.services import Services
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet
    from tests.support.product import Product

BACKLOG = 30_000
BACKLOG_MIB = 256
HUGE_MIB = 384
PATIENCE_SECONDS = 110


def dead_letters(product: Product) -> list[object]:
    return product.rows("SELECT reason, errors FROM dead_letter LIMIT 1")


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_a_backlog(install: Callable[..., Product]) -> None:
    product = install(topic_partitions=6)
    publish_small_events(product, BACKLOG)
    worker = product.start()

    assert peak_until_announced(product, worker, PATIENCE_SECONDS) <= BACKLOG_MIB
    (counted,) = product.rows("SELECT count(*) AS releases FROM release")
    assert (counted.releases, dead_letters(product)) == (BACKLOG, [])


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_an_event_of_16_mib(install: Callable[..., Product]) -> None:
    """4,000 commits with patch sets."""
    product = install()
    publish_huge_event(product, 16)
    worker = product.start()

    assert peak_until_announced(product, worker, PATIENCE_SECONDS) <= HUGE_MIB
    (counted,) = product.rows(
        "SELECT (SELECT count(*) FROM commit) AS commits, sum(commit_count) AS listed FROM release"
    )
    assert (counted.commits, counted.listed, dead_letters(product)) == (4_000, 4_000, [])


NAMING_GROUPS = [as_cloudevent(pushed(commit(key, message="Fixes WEB-1, WEB-2"), version=key)) for key in "abcdefgh"]
PARTS = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]


@pytest.fixture
def applier(services: Services, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[DirectApplier]:
    monkeypatch.setattr(applying, "MOST_REFERENCES", 4)
    with closing(DirectApplier(database_url, services.redis_url)) as direct:
        yield direct


def transactions(applier: DirectApplier) -> list[list[str]]:
    """The versions of the releases that each transaction made; all that it had to do is done."""
    with transaction(applier.engine) as cursor:
        cursor.execute("SELECT array_agg(version ORDER BY version) FROM release GROUP BY xmin::text ORDER BY 1")
        made = [versions for (versions,) in cursor.fetchall()]
        cursor.execute("SELECT next_offset, applied, absent, duplicate FROM consumer_offset")
        assert cursor.fetchall() == [(len(NAMING_GROUPS), len(NAMING_GROUPS), 0, 0)]
    return made


def test_messages_that_name_very_many_groups_are_applied_in_parts(applier: DirectApplier) -> None:
    applier.apply(NAMING_GROUPS)
    assert transactions(applier) == PARTS


def test_a_second_attempt_goes_on_behind_the_parts_that_are_committed(
    applier: DirectApplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves = count(1)

    def fail_once(cursor: Cursor, rows: WorkingSet) -> None:
        if next(saves) == 3:
            raise psycopg2.OperationalError
        save(cursor, rows)

    monkeypatch.setattr(applying, "save", fail_once)
    batch = applier.batch(NAMING_GROUPS)
    with pytest.raises(psycopg2.OperationalError):
        applier.applier.apply(batch)
    applier.applier.apply(batch)
    assert transactions(applier) == PARTS
