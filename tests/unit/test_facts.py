"""Ids of facts: the same for the same name, and UUIDs like any other."""

from __future__ import annotations

from uuid import uuid5

import pytest

from consumer.handlers.facts import NAMESPACE, fact_id


@pytest.mark.parametrize("number", range(32))
def test_a_fact_has_the_uuid_that_the_standard_makes_of_its_name(number: int) -> None:
    name = f"activity.release.created\nacmé:1.{number}"
    assert fact_id(name) == str(uuid5(NAMESPACE, name))
