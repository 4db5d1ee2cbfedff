"""The database is migrated under a running worker, to a schema that it can work with or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.checker import broken_promises
from tests.support.crashing import SEED, applied, independent_history, installation, look, now, publish
from tests.support.product import wait_until
from tests.support.readiness import free_port, readiness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services import Services
    from tests.support.crashing import Outgoing
    from tests.support.product import Product

NEWER = "0999"
THIS = "0001"


@pytest.fixture(scope="module")
def records() -> list[Outgoing]:
    return independent_history(SEED + 6, organizations=3)


@pytest.fixture
def product(services: Services, tmp_path: Path) -> Iterator[Product]:
    with installation(services, tmp_path) as product:
        yield product


def change(product: Product, *statements: str, revision: str = THIS) -> None:
    """What a migration does, in one transaction."""
    with product.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


@pytest.mark.parametrize(
    ("newer", "back", "refusal"),
    [
        pytest.param(
            "ALTER TABLE release RENAME COLUMN url TO address",
            "ALTER TABLE release RENAME COLUMN address TO url",
            "does not exist",
            id="a column",
        ),
        pytest.param(
            "ALTER TABLE outbox RENAME TO announcement",
            "ALTER TABLE announcement RENAME TO outbox",
            "does not exist",
            id="a table",
        ),
        pytest.param(
            "ALTER TABLE release ADD flavour text NOT NULL DEFAULT ''; ALTER TABLE release ALTER flavour DROP DEFAULT",
            "ALTER TABLE release DROP flavour",
            "not-null constraint",
            id="a constraint",
        ),
    ],
)
def test_a_worker_that_cannot_go_on_ends_and_says_why(
    product: Product, records: list[Outgoing], newer: str, back: str, refusal: str
) -> None:
    """Nothing is put away: no event is at fault."""
    began, half, port = now(), len(records) // 2, free_port()
    publish(product, records[:half])
    worker = product.start("--verbose", http_port=port)
    product.wait_until_announced(worker)

    change(product, newer, revision=NEWER)
    publish(product, records[half:])
    worker.wait_for_words("this version needs")
    why = f"schema revision {NEWER}, this version needs {THIS}; it is newer"
    wait_until(lambda: why in readiness(port), f"it says why it is not ready\n{worker.words}")
    assert worker.terminate() == 1, worker.words
    assert refusal in worker.lines[-1], worker.words
    assert why in worker.lines[-1], worker.words
    assert product.rows("SELECT id FROM dead_letter WHERE reason = 'cannot-be-applied'") == []

    change(product, back)
    product.run_until_caught_up()
    assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 6}\n{worker.words}"


def test_a_worker_that_has_nothing_to_do_ends_too(product: Product, records: list[Outgoing]) -> None:
    publish(product, records)
    worker = product.start("--verbose")
    product.wait_until_announced(worker)

    change(product, "ALTER TABLE consumer_offset RENAME COLUMN epoch TO term", "DELETE FROM alembic_version")
    assert worker.wait() == 1, worker.words
    assert f"schema revision none, this version needs {THIS}; run `release-consumer setup`" in worker.lines[-1]


def test_a_worker_that_can_go_on_does(product: Product, records: list[Outgoing]) -> None:
    """While a new version is rolled out, the old one goes on."""
    began, half = now(), len(records) // 2
    publish(product, records[:half])
    worker = product.start("--verbose")
    product.wait_until_announced(worker)

    change(product, "ALTER TABLE release ADD COLUMN flavour text", revision=NEWER)
    publish(product, records[half:])
    product.wait_until_announced(worker)
    assert worker.terminate() == 0, worker.words
    assert "tried again" not in worker.words, worker.words
    change(product, "ALTER TABLE release DROP COLUMN flavour")
    assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 6}\n{worker.words}"


def test_where_the_revision_is_the_right_one_it_is_tried_again(product: Product, records: list[Outgoing]) -> None:
    """Somebody has changed a table by hand, or a right was taken: both may be mended."""
    began, half = now(), len(records) // 2
    publish(product, records[:half])
    worker = product.start("--verbose")
    product.wait_until_announced(worker)
    before = applied(product)

    change(product, "ALTER TABLE release RENAME COLUMN url TO address")
    publish(product, records[half:])
    worker.wait_for_words("does not exist")
    change(product, "ALTER TABLE release RENAME COLUMN address TO url")

    product.wait_until_announced(worker)
    assert applied(product) > before
    assert worker.terminate() == 0, worker.words
    assert broken_promises(look(product, began).seen) == [], f"FAULT_SEED={SEED + 6}\n{worker.words}"


def test_setup_leaves_a_newer_database_alone(product: Product) -> None:
    change(product, revision=NEWER)
    ended = product.process("setup")
    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: the database has schema revision {NEWER}, this version needs {THIS};"
        " it is newer: run the version of release-consumer that migrated it\n"
    )
