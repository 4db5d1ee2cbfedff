"""A run of dead letters halts the worker instead of emptying the topic into a table (DESIGN section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.builders import created
from tests.support.product import wait_until
from tests.support.readiness import free_port, readiness

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.product import Product

EXIT_HALTED = 4
BAD = b'{"specversion": "1.0"}'


def send_bad(product: Product, events: int) -> None:
    for _ in range(events):
        product.send(product.settings.topics.release_events, BAD, b"bad")
    product.flush()


def dead_letters(product: Product) -> int:
    return int(product.rows("SELECT count(*) AS letters FROM dead_letter")[0].letters)


def test_it_halts_says_why_and_puts_nothing_more_away(install: Callable[..., Product]) -> None:
    product = install(topic_partitions=1, halt_window=100, halt_dead_letters=10, halt_ratio=0.5)
    port = free_port()
    worker = product.start(http_port=port)
    wait_until(lambda: readiness(port) == "ok", "the worker is ready")
    product.publish(created())
    product.wait_until_announced(worker)
    send_bad(product, 5)
    wait_until(lambda: dead_letters(product) == 5, "a few dead letters are put away")
    send_bad(product, 20)
    wait_until(lambda: readiness(port).startswith("halted: "), f"it halts and says why; {worker.words}")
    assert worker.terminate() == EXIT_HALTED
    assert dead_letters(product) < 10
    assert "of the last" in worker.words
    assert "RELEASE_CONSUMER_HALT_RATIO" in worker.words
    # What was put away before is announced; the rest is still to come, and comes where it is let through.
    assert len(product.announced_dead_letters()) == dead_letters(product)
    product.publish(created(version="2.0"))
    product.run_until_caught_up(halt_ratio=1)
    assert dead_letters(product) == 25
    assert [row.version for row in product.rows("SELECT version FROM release ORDER BY version")] == ["1.0", "2.0"]


def test_good_events_among_them_keep_it_going(install: Callable[..., Product]) -> None:
    product = install(topic_partitions=1, halt_window=100, halt_dead_letters=10, halt_ratio=0.5)
    product.publish(*(created(version=f"{number}.0") for number in range(30)))
    send_bad(product, 25)
    product.run_until_caught_up()
    assert dead_letters(product) == 25
