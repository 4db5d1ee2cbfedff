"""Servers that a test may kill, and start again where they were."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from consumer.services.ports import is_free
from consumer.services.stack import Stack
from consumer.settings import ENV_PREFIX, load_settings
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.services.model import ServiceName


@contextmanager
def mortal_stack(folder: Path) -> Iterator[Stack]:
    """Embedded servers that nobody else uses."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL", "REDIS_URL"):
            patch.delenv(f"{ENV_PREFIX}{name}", raising=False)
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        told: list[str] = []
        stack = Stack(load_settings(stack_data=folder), told.append)
        try:
            stack.up()
            yield stack
        finally:
            stack.down(wipe=True)


@contextmanager
def killed(stack: Stack, name: ServiceName) -> Iterator[None]:
    """Kill a server, and start it again where it was at the end of the block, also after a failure."""
    status = stack.status()[name]
    assert status.pid is not None
    assert status.address is not None
    port = int(status.address.rpartition(":")[2])
    os.kill(status.pid, signal.SIGKILL)
    # Else it would be started elsewhere, where no client looks for it.
    wait_until(lambda: not stack.status()[name].running and is_free(port), f"{name} is gone")
    try:
        yield
    finally:
        stack.up()
    assert stack.status()[name].address == status.address
