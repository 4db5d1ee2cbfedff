"""Every scenario runs against the reference model and against the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.conformance.system import ModelSystem

if TYPE_CHECKING:
    from tests.conformance.system import System


@pytest.fixture(params=["model", "product"])
def system(request: pytest.FixtureRequest) -> System:
    """The system under test, without any data; ``product_system`` is the product on its real services."""
    if request.param == "model":
        return ModelSystem()
    return cast("System", request.getfixturevalue("product_system"))
