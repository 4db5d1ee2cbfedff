"""What a part of the product said, and nobody else: a Kafka client of an earlier test may still speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    import pytest


def records_of(caplog: pytest.LogCaptureFixture, logger: str) -> list[logging.LogRecord]:
    """The records of a logger and of those below it, in order."""
    return [record for record in caplog.records if f"{record.name}.".startswith(f"{logger}.")]
