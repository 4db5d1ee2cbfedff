"""Snowflake ids that rows have already: tried again with new ones, five attempts in all (SEMANTICS section 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from consumer.contracts.events import ProjectUpdated
from consumer.errors import MaxSnowflakeRetryError
from tests.model.cloudevents import as_cloudevent
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from consumer.services import Services

ORGANIZATION, PROJECT = 101, 102


class Repeating:
    """Gives the same two ids so often, then new ones."""

    def __init__(self, times: int) -> None:
        self.left = times

    def take(self, count: int) -> list[int]:
        self.left -= 1
        return [ORGANIZATION, PROJECT][:count] if self.left >= 0 else [201 + n for n in range(count)]


@pytest.fixture
def applier(services: Services, database_url: str) -> DirectApplier:
    direct = DirectApplier(database_url, services.redis_url)
    direct.supply._snowflakes = Repeating(1)
    direct.apply([project("acme")])
    return direct


def project(organization: str) -> dict[str, object]:
    event = ProjectUpdated(id=organization, source="/ci", organization=organization, project="web")
    return as_cloudevent(event)


def test_a_collision_is_tried_again_with_new_ids(applier: DirectApplier) -> None:
    applier.supply._snowflakes = Repeating(4)
    applier.apply([project("globex")])
    with applier.engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM organization ORDER BY id")).scalars().all() == [
            ORGANIZATION,
            201,
        ]
    applier.close()


def test_after_five_collisions_no_event_is_blamed(applier: DirectApplier) -> None:
    applier.supply._snowflakes = Repeating(100)
    with pytest.raises(MaxSnowflakeRetryError, match="5 new ids in a row are taken already"):
        applier.apply([project("globex")])
    with applier.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM dead_letter")).scalar() == 0
    applier.close()
