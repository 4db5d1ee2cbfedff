"""Pauses between failed attempts."""

from __future__ import annotations

import pytest

from consumer.intake.backoff import pause_seconds
from consumer.settings import Settings

SETTINGS = Settings(retry_base_seconds=0.5, retry_max_seconds=30)


@pytest.mark.parametrize(("attempts", "longest"), [(1, 0.5), (2, 1.0), (4, 4.0), (7, 30.0), (100_000, 30.0)])
def test_pauses_double_up_to_the_longest(attempts: int, longest: float) -> None:
    pauses = [pause_seconds(SETTINGS, attempts) for _ in range(100)]
    assert 0.6 * longest <= min(pauses) <= max(pauses) <= longest
    assert len(set(pauses)) > 1
