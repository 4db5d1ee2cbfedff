"""PostgreSQL refuses for a while what is nobody's fault: the same batch again until it is taken, and nothing dies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.conformance.builders import created
from tests.support.checker import broken_promises
from tests.support.crashing import installation, look, now
from tests.support.product import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from consumer.services import Services

CONDITIONS = [
    "read_only_sql_transaction",
    "serialization_failure",
    "deadlock_detected",
    "disk_full",
    "out_of_memory",
    "too_many_connections",
    "admin_shutdown",
    "cannot_connect_now",
    "lock_not_available",
]

REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'not now' USING ERRCODE = TG_ARGV[0];
    END $$
"""


def test_what_is_the_fault_of_the_world_is_tried_again(services: Services, tmp_path: Path) -> None:
    with installation(services, tmp_path) as product:
        began = now()
        worker = product.start("--verbose")
        product.publish(created(version="first"))
        product.wait_until_announced(worker)
        with product.engine.begin() as connection:
            connection.execute(text(REFUSE))
        for condition in CONDITIONS:
            tried = worker.words.count("tried again")
            with product.engine.begin() as connection:
                connection.execute(
                    text(
                        "CREATE TRIGGER refuse BEFORE INSERT ON release FOR EACH ROW"
                        f" EXECUTE FUNCTION refuse('{condition}')"
                    )
                )
            product.publish(created(version=condition))
            wait_until(
                lambda: worker.words.count("tried again") >= tried + 2,  # noqa: B023
                f"{condition} is tried again\n{worker.words}",
            )
            with product.engine.begin() as connection:
                connection.execute(text("DROP TRIGGER refuse ON release"))
            product.wait_until_announced(worker)
        assert worker.terminate() == 0, worker.words
        versions = {row.version for row in product.rows("SELECT version FROM release")}
        assert versions == {"first", *CONDITIONS}
        assert product.rows("SELECT reason, errors FROM dead_letter") == []
        assert broken_promises(look(product, began).seen) == [], worker.words


def test_a_database_that_is_read_only_for_a_while(services: Services, tmp_path: Path) -> None:
    """As a standby is that has not been promoted yet; old sessions are gone."""
    with installation(services, tmp_path) as product:
        began = now()
        worker = product.start("--verbose")
        product.publish(created(version="first"))
        product.wait_until_announced(worker)
        name = product.engine.url.database
        become = "ALTER DATABASE {} SET default_transaction_read_only = {}"
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        with product.engine.connect() as connection:
            for state in ("on", "off"):
                connection.execute(text("SET default_transaction_read_only = off"))
                connection.commit()
                connection.execute(text(become.format(name, state)))
                connection.commit()
                connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"))  # noqa: S608
                connection.commit()
                if state == "on":
                    product.publish(created(version="second"))
                    worker.wait_for_words("read-only")
        product.wait_until_announced(worker)
        assert worker.terminate() == 0, worker.words
        assert {row.version for row in product.rows("SELECT version FROM release")} == {"first", "second"}
        assert broken_promises(look(product, began).seen) == [], worker.words
