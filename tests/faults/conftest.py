"""What several fault tests share."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from tests.support.mortal import mortal_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.services.stack import Stack


@pytest.fixture(scope="session")
def stack(stacks: Path) -> Iterator[Stack]:
    """Embedded servers for tests that kill or stop them; each test starts them again."""
    with mortal_stack(Path(mkdtemp(prefix="mortal-", dir=stacks))) as stack:
        yield stack
