"""A worker takes a bounded memory, however long the backlog and however large an event. In large: make soak-memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.bulk import peak_until_announced, publish_huge_event, publish_small_events

if TYPE_CHECKING:
    from collections.abc import Callable

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
