"""An event that only the database refuses, or that is a bug's: it is found by halving the batch, and only it dies."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from consumer.store.saving import save
from tests.conformance.builders import created
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier
from tests.support.product import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.services import Services
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet

EVENTS = 9
FIRST, MIDDLE, LAST = 0, EVENTS // 2, EVENTS - 1

REFUSE = """
    CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'is refused' USING ERRCODE = '{code}';
    END $$;
    CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON release FOR EACH ROW WHEN (NEW.version LIKE 'poison%')
    EXECUTE FUNCTION refuse();
"""


@pytest.fixture(scope="module")
def one_applier(services: Services) -> Iterator[DirectApplier]:
    with own_database(services.database_url) as url, closing(DirectApplier(url, services.redis_url)) as applier:
        yield applier


@pytest.fixture
def applier(one_applier: DirectApplier) -> DirectApplier:
    one_applier.forget()
    return one_applier


@pytest.fixture(params=["data_exception", "check_violation", "bug"])
def refusal(request: pytest.FixtureRequest, applier: DirectApplier, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let writing versions that start with ``poison`` fail: in the database, or in a way that nobody foresaw."""
    if request.param != "bug":
        with applier.engine.begin() as connection:
            connection.execute(text(REFUSE.format(code=request.param)))
        return "is refused"

    def save_or_fail(cursor: Cursor, rows: WorkingSet) -> None:
        save(cursor, rows)
        if any(release.version.startswith("poison") for release in rows.releases.values()):
            raise TypeError("Integer exceeds 64-bit range")  # noqa: EM101, TRY003  # what orjson says

    with applier.engine.begin() as connection:
        connection.execute(text("DROP TRIGGER IF EXISTS refuse ON release"))
    monkeypatch.setattr("consumer.intake.applying.save", save_or_fail)
    return "TypeError('Integer exceeds 64-bit range')"


@pytest.mark.parametrize(
    "poison",
    [{FIRST}, {MIDDLE}, {LAST}, {FIRST, LAST}, {MIDDLE, MIDDLE + 1}, set(range(EVENTS))],
    ids=["first", "middle", "last", "first and last", "two neighbours", "all"],
)
def test_only_what_is_refused_dies(applier: DirectApplier, poison: set[int], refusal: str) -> None:
    versions = [f"{'poison' if number in poison else 'good'}-{number}" for number in range(EVENTS)]

    applier.apply([as_cloudevent(created(version=version)) for version in versions])

    with applier.engine.connect() as connection:
        letters = connection.execute(text('SELECT "offset", reason, errors FROM dead_letter ORDER BY "offset"')).all()
        applied = connection.execute(text("SELECT version FROM release ORDER BY version")).scalars().all()
        stream = connection.execute(text("SELECT next_offset, applied, dead, next_seq FROM consumer_offset")).one()
        numbers = connection.execute(text("SELECT seq FROM outbox ORDER BY seq")).scalars().all()
        said = connection.execute(text("SELECT cloudevent -> 'data' ->> 'version' FROM activity ORDER BY 1")).scalars()
        told = set(said.all())
    assert [letter.offset for letter in letters] == sorted(poison)
    assert all(letter.reason == "cannot-be-applied" and refusal in str(letter.errors) for letter in letters)
    good = [version for version in versions if version.startswith("good")]
    assert applied == good
    assert told == set(good)
    assert (stream.next_offset, stream.applied, stream.dead) == (EVENTS, len(good), len(poison))
    assert numbers == list(range(1, stream.next_seq))
