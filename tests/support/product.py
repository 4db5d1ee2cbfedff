"""The product as its users have it: an installation on the real services, its commands, and what is seen of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import orjson
import psycopg2
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from psycopg2.sql import SQL, Composable, Identifier
from sqlalchemy import text

from consumer.cli.main import root
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from consumer.contracts.events import ReleaseEvent
from consumer.intake.kafka import Cluster, end_of_partition
from consumer.settings import ENV_PREFIX, Settings, Topics
from consumer.store.database import connect
from consumer.store.migrating import migrate
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from click.testing import Result
    from confluent_kafka import Message

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services

Json = dict[str, Any]
Headers = list[tuple[str, str | bytes | None]]
Partition = tuple[str, int]
T = TypeVar("T")

COMMAND = Path(sys.executable).with_name("release-consumer")
PATIENCE_SECONDS = 30.0

_PAUSE_SECONDS = 0.01
_NOT_LED_YET = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART)
_RELEASE_EVENTS = {event.type for event in ReleaseEvent.__subclasses__()}
_STRUCTURED: Headers = [(CONTENT_TYPE, STRUCTURED_JSON)]


def wait_until(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait until a condition holds, and return what it gave; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in {seconds:g} s: {what}"
        time.sleep(_PAUSE_SECONDS)
    return found


@contextmanager
def own_database(server_url: str) -> Iterator[str]:
    """Make an empty database; yields its URL, and drops it at the end, whoever is still connected."""
    name = f"test_{uuid.uuid4().hex}"
    _administer(server_url, SQL("CREATE DATABASE {}").format(Identifier(name)))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        _administer(server_url, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _administer(url: str, statement: Composable) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True  # databases are not made or dropped in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statement)


class Worker:
    """``release-consumer run`` as a child process; its words are kept line by line."""

    def __init__(self, environment: Mapping[str, str], folder: Path, options: Sequence[str]) -> None:
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._process = subprocess.Popen(
            [COMMAND, "run", *options], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def words(self) -> str:
        """All that it wrote to stderr so far."""
        return "\n".join(self.lines)

    def wait_for_words(self, words: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a line on stderr holds these words."""
        with self._said:
            found = self._said.wait_for(lambda: any(words in line for line in self.lines), seconds)
        assert found, f"{words!r} was not said in {seconds:g} s, but\n{self.words}"

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait for the end of the process; returns its exit code."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            msg = f"the worker did not end in {seconds:g} s, and said\n{self.words}"
            raise AssertionError(msg) from None
        self._reader.join()
        return code

    def terminate(self) -> int:
        """Send SIGTERM, and wait for the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Kill it if it still lives."""
        with self._process:
            self._process.kill()
            self._reader.join()

    def _read(self) -> None:
        for line in self._process.stderr or ():
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()


class TopicReader:
    """Reads what is committed in a topic, from its beginning on."""

    def __init__(self, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._topic = topic
        self._positions = dict.fromkeys(range(partitions), 0)
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": uuid.uuid4().hex,
                "log_level": 0,  # what goes wrong is raised
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                # The end of a partition is told after this time.
                "fetch.wait.max.ms": 10,
            }
        )
        self._uncommitted = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": uuid.uuid4().hex,
                "log_level": 0,
                "isolation.level": "read_uncommitted",
            }
        )

    def read(self) -> list[Message]:
        """Return what was committed since the last call."""
        # With open transactions: one is decided a moment before its records count as committed.
        ends = ends_of(self._uncommitted, [TopicPartition(self._topic, number) for number in self._positions])
        behind = {number for (_, number), end in ends.items() if self._positions[number] < end}
        self._consumer.assign([TopicPartition(self._topic, number, self._positions[number]) for number in behind])
        found = []
        while behind:
            message = self._consumer.poll(PATIENCE_SECONDS)
            assert message is not None, f"topic {self._topic} ends before its end"
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            # Offsets that marks of transactions fill are passed with the end of the partition only.
            partition, offset = end_of_partition(message)
            _, number = partition
            self._positions[number] = offset if error else offset + 1
            found += [] if error else [message]
            if self._positions[number] >= ends[partition]:
                behind.discard(number)
        self._consumer.unassign()
        return found

    def close(self) -> None:
        """Close the connections."""
        self._consumer.close()
        self._uncommitted.close()


def ends_of(consumer: Consumer, partitions: Sequence[TopicPartition]) -> dict[Partition, int]:
    """Where partitions end: at what is committed where the consumer reads that only."""

    def ends() -> dict[Partition, int] | None:
        try:
            return {
                (p.topic, p.partition): consumer.get_watermark_offsets(p, timeout=PATIENCE_SECONDS)[1]
                for p in partitions
            }
        except KafkaException as error:
            # A partition that was made a moment ago is not led by anyone yet.
            if error.args[0].code() not in _NOT_LED_YET:
                raise
            return None

    return wait_until(ends, "partitions are led") or {}


class Product:
    """An installation with topics, a consumer group and a database of its own.

    Args:
        services: where Kafka, PostgreSQL and Redis answer.
        database_url: an empty database.
        folder: where its commands run: without a file ``.env``.
        settings: any settings; two partitions a topic unless said otherwise.
    """

    def __init__(self, services: Services, database_url: str, folder: Path, **settings: Any) -> None:
        name = f"test-{uuid.uuid4().hex}"
        topics = {topic: f"{name}-{topic}" for topic in Topics.model_fields}
        self._given: Json = {
            "kafka_bootstrap_servers": services.kafka_bootstrap_servers,
            "database_url": database_url,
            "redis_url": services.redis_url,
            "group_id": name,
            # Joining is quicker than with the classic one.
            "group_protocol": "consumer",
            "topic_partitions": 2,
            **settings,
        }
        self._given.setdefault("catalog_partitions", self._given["topic_partitions"])
        self.settings = Settings(**self._given, topics=Topics(**topics))
        self._given |= {f"topics__{topic}": name for topic, name in topics.items()}
        self._folder = folder
        self._servers = self.settings.kafka_bootstrap_servers or ""
        client: dict[str, str | int | float | bool] = {"bootstrap.servers": self._servers, "log_level": 0}
        # Idempotent: else a retry, as in the first moments of a topic, could change the order.
        self._producer = Producer({**client, "partitioner": "murmur2_random", "enable.idempotence": True})
        self._group = Consumer({**client, "group.id": name, "isolation.level": "read_uncommitted"})
        self.admin = AdminClient(client)
        self.engine = connect(self.settings.database_url or "", application_name="tests")
        self._stack = ExitStack()
        self._stack.callback(self._delete_topics)
        self._stack.callback(self.engine.dispose)
        self._stack.callback(self._group.close)

    # --- setting up and tearing down -----------------------------------------------------------------------------

    def set_up(self) -> None:
        """Migrate the database, create the topics."""
        migrate(self.engine)
        Cluster(self.settings, self._servers).create_missing_topics()

    def close(self) -> None:
        """Kill what still runs, delete the topics."""
        self._stack.close()

    def _delete_topics(self, names: list[str] | None = None) -> None:
        for deleted in self.admin.delete_topics(names or list(self.settings.topics.model_dump().values())).values():
            deleted.exception()

    def change(self, **settings: Any) -> None:
        """Give commands and workers other settings from now on; of topics by ``topics__<name>``."""
        self._given |= settings
        topics = {name.removeprefix("topics__"): value for name, value in self._given.items() if "topics__" in name}
        others = {name: value for name, value in self._given.items() if "topics__" not in name}
        self._stack.callback(self._delete_topics, list(self.settings.topics.model_dump().values()))
        self.settings = Settings(**others, topics=Topics(**topics))

    # --- commands --------------------------------------------------------------------------------------------------

    def environment(self, **settings: Any) -> dict[str, str]:
        """The environment that its commands run in."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
        return inherited | {f"{ENV_PREFIX}{n.upper()}": str(value) for n, value in {**self._given, **settings}.items()}

    def start(self, *options: str, **settings: Any) -> Worker:
        """Start a worker as a process of its own."""
        worker = Worker(self.environment(**settings), self._folder, options)
        self._stack.callback(worker.close)
        return worker

    def run_until_caught_up(self, **settings: Any) -> Worker:
        """Run a worker to its end, which must be a good one."""
        worker = self.start("--until-caught-up", **settings)
        assert worker.wait() == 0, worker.words
        return worker

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end as a process of its own."""
        return subprocess.run(
            [COMMAND, *arguments],
            check=False,
            env=self.environment(),
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
        )

    def command(self, *arguments: str) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(root, arguments, env=self.environment())

    def json(self, *arguments: str) -> Any:
        """Run a command that prints one JSON document."""
        result = self.command(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return orjson.loads(result.stdout)

    # --- PostgreSQL ------------------------------------------------------------------------------------------------

    def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Rows of a query, each with its columns by name."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(query), parameters))

    # --- Kafka -----------------------------------------------------------------------------------------------------

    def publish(self, *events: AnyEvent | Json) -> None:
        """Send events in structured mode, under the key that publishers give them; waits for Kafka."""
        for event in events:
            self.send(*self.record_of(event if isinstance(event, dict) else as_cloudevent(event)))
        self._producer.flush()

    def record_of(self, document: Json) -> tuple[str, bytes, bytes]:
        """Topic, value and key of a CloudEvent, which may be invalid."""
        return _topic_of(document, self.settings.topics), orjson.dumps(document), _key_of(document)

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers = _STRUCTURED,
        partition: int = -1,
    ) -> None:
        """Send a record as it is; ``publish`` or ``flush`` waits for Kafka."""
        self._producer.produce(topic, value, key, partition=partition, headers=headers)

    def flush(self) -> None:
        """Wait until Kafka has what was sent."""
        self._producer.flush()

    def ends(self) -> dict[Partition, int]:
        """Where the input topics end, partitions without any record left out."""
        return {partition: end for partition, end in ends_of(self._group, self._input_partitions).items() if end}

    def committed(self) -> dict[Partition, tuple[int, str]]:
        """Offset and metadata that Kafka has committed for the group."""
        found = self._group.committed(self._input_partitions, timeout=PATIENCE_SECONDS)
        return {(p.topic, p.partition): (p.offset, p.metadata or "") for p in found if p.offset >= 0}

    def wait_until_announced(self, worker: Worker | None = None) -> None:
        """Wait until all that the input topics hold is applied and announced."""
        ends = self.ends()

        def is_announced() -> bool:
            assert worker is None or worker.is_running, f"the worker ended:\n{worker.words}"
            committed = self.committed()
            return all(committed.get(partition, (0, ""))[0] >= end for partition, end in ends.items())

        wait_until(is_announced, f"{ends} announced; {worker.words if worker else ''}")

    @property
    def _input_partitions(self) -> list[TopicPartition]:
        numbers = range(self.settings.topic_partitions)
        return [TopicPartition(topic, number) for topic in self.settings.topics.inputs for number in numbers]

    def reader(self, topic: str) -> TopicReader:
        """A reader of one of its topics."""
        reader = TopicReader(self._servers, topic, self.settings.topic_partitions)
        self._stack.callback(reader.close)
        return reader

    def read(self, topic: str) -> list[Message]:
        """All that is committed in one of its topics."""
        with closing(TopicReader(self._servers, topic, self.settings.topic_partitions)) as reader:
            return reader.read()

    def activities(self) -> list[Json]:
        """All CloudEvents announced, those of one record key in their order."""
        return self._documents(self.settings.topics.activity)

    def announced_dead_letters(self) -> list[Json]:
        """All dead letters announced."""
        return self._documents(self.settings.topics.dead_letters)

    def _documents(self, topic: str) -> list[Json]:
        # By partition: how partitions take turns differs from one reading to the next.
        messages = sorted(self.read(topic), key=end_of_partition)
        return [orjson.loads(message.value() or b"") for message in messages]


def _topic_of(document: Json, topics: Topics) -> str:
    return topics.release_events if document.get("type") in _RELEASE_EVENTS else topics.catalog_events


def _key_of(document: Json) -> bytes:
    data = document["data"]
    named = [data.get("organization"), data.get("version")] if document["type"] in _RELEASE_EVENTS else []
    return ":".join(map(str, named or [data.get("organization")])).encode()
