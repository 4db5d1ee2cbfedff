"""``publish`` and ``publish-git`` against a real Kafka."""

from __future__ import annotations

import logging
import subprocess
import uuid
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, cast

import orjson
import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from consumer.cli.main import root
from consumer.client import Publisher
from consumer.contracts import decode
from consumer.contracts.schemas import event_types, schema_folder
from consumer.errors import InvalidEvent, ServiceUnavailable
from consumer.services.embedded.kafka import KafkaServer
from consumer.services.ports import free_port
from consumer.settings import Settings, Topics
from tests.support.product import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.contracts import AnyEvent
    from consumer.services import Services

PARTITIONS = 3
MAX_BYTES = 1024 * 1024


@pytest.fixture
def settings(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings with topics of this test's own, which the commands find in the environment."""
    prefix = f"test-{uuid.uuid4().hex}"
    topics = Topics(release_events=f"{prefix}-release-events", catalog_events=f"{prefix}-catalog-events")
    monkeypatch.setenv("RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS", services.kafka_bootstrap_servers)
    monkeypatch.setenv("RELEASE_CONSUMER_TOPICS__RELEASE_EVENTS", topics.release_events)
    monkeypatch.setenv("RELEASE_CONSUMER_TOPICS__CATALOG_EVENTS", topics.catalog_events)
    admin = AdminClient({"bootstrap.servers": services.kafka_bootstrap_servers})
    for created in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in topics.inputs]).values():
        created.result()
    yield Settings()
    for deleted in admin.delete_topics(topics.inputs).values():
        deleted.result()


class OwnBroker:
    """A real broker of one test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._server = KafkaServer(folder, free_port(), print)
        self._process: subprocess.Popen[bytes] | None = None
        self.address = self._server.url

    def start(self) -> None:
        """Start the broker on the data it has; returns when it answers."""
        self._server.prepare()
        with self._server.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._server.command(), cwd=self._server.folder, stdout=log, stderr=subprocess.STDOUT
            )
        AdminClient({"bootstrap.servers": self.address}).list_topics(timeout=60)

    def kill(self) -> None:
        """Kill it as the kernel would: no time to say good-bye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[OwnBroker]:
    broker = OwnBroker(tmp_path / "kafka")
    broker.start()
    admin = AdminClient({"bootstrap.servers": broker.address})
    for created in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in Topics().inputs]).values():
        created.result()
    yield broker
    broker.kill()


def event(type_: str, id_: str = "1", **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id_,
        "source": "/ci",
        "type": type_,
        "data": {"organization": "acme", **data},
    }


CREATED = event("release-created", version="1.0", projects=["web"])
PUSHED = event("commits-pushed", "2", version="1.0", commits=[])
PROJECT = event("project-updated", "3", project="web")


def lines(*documents: Any) -> bytes:
    return b"".join(orjson.dumps(document) + b"\n" for document in documents)


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(root, arguments, input=stdin)


def records(settings: Settings, topic: str) -> list[Message]:
    """All that a topic holds."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "group.id": uuid.uuid4().hex,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    found: list[Message] = []
    ended = 0
    while ended < PARTITIONS:
        for message in consumer.consume(timeout=1):
            error = message.error()
            if error is None:
                found.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                ended += 1
            else:
                raise KafkaException(error)
    consumer.close()
    return found


def decoded(message: Message) -> AnyEvent:
    headers = cast("list[tuple[str, bytes | None]] | None", message.headers())
    return decode(message.value(), headers, max_bytes=MAX_BYTES)


def ids(settings: Settings) -> list[str]:
    return sorted(decoded(record).id for topic in settings.topics.inputs for record in records(settings, topic))


class TestPublish:
    def test_events_go_to_their_topics_in_structured_mode(self, settings: Settings) -> None:
        result = run("publish", "--json", stdin=lines(CREATED, PROJECT) + b"\n \r\n" + lines(PUSHED))

        assert result.exit_code == 0, result.output
        topics = settings.topics
        assert orjson.loads(result.stdout) == {
            "published": 3,
            "invalid": 0,
            "topics": {topics.release_events: 2, topics.catalog_events: 1},
        }
        released = records(settings, topics.release_events)
        assert [record.key() for record in released] == [b"acme:1.0", b"acme:1.0"]
        assert [record.headers() for record in released] == [[("content-type", b"application/cloudevents+json")]] * 2
        assert [orjson.loads(record.value() or b"")["type"] for record in released] == [
            "release-created",
            "commits-pushed",
        ]
        assert [record.key() for record in records(settings, topics.catalog_events)] == [b"acme"]

    def test_the_example_of_every_page_is_published_as_it_stands(self, settings: Settings) -> None:
        places = {type_: schema_folder() / "examples" / type_ / "valid" / "full.json" for type_ in event_types()}
        examples = {type_: orjson.loads(place.read_bytes()) for type_, place in places.items()}

        result = run("publish", stdin=lines(*examples.values()))

        assert result.exit_code == 0, result.output
        for topic in settings.topics.inputs:
            for record in records(settings, topic):
                sent = orjson.loads(record.value() or b"")
                assert sent == examples.pop(sent["type"])
        assert examples == {}

    def test_the_mark_that_windows_writes_before_the_first_line_is_passed_over(self, settings: Settings) -> None:
        result = run("publish", stdin=BOM_UTF8 + lines(CREATED, PROJECT))

        assert result.exit_code == 0, result.output
        assert len(ids(settings)) == 2

    def test_one_bad_event_and_nothing_is_sent(self, settings: Settings, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl"
        file.write_bytes(lines(CREATED) + b"nope\n" + lines({**PROJECT, "id": "", "time": "?"}))

        result = run("publish", str(file))

        assert result.exit_code == 1
        complaints = result.stderr.splitlines()
        assert complaints[0] == "line 2: $: is not JSON: invalid literal, expected 'null' (character 1)"
        assert sorted(complaints[1:3]) == [
            "line 3: $.id: must not be empty",
            "line 3: $.time: must be an RFC 3339 date and time such as 2024-05-01T12:00:00Z",
        ]
        assert complaints[3:] == ["published 0 events: nothing sent; 2 invalid"]
        assert ids(settings) == []

    def test_partial_sends_the_good_ones(self, settings: Settings) -> None:
        result = run("publish", "--partial", "--json", "-", stdin=lines(CREATED, {}, PROJECT))

        assert result.exit_code == 1
        assert orjson.loads(result.stdout)["published"] == 2
        assert ids(settings) == ["1", "3"]

    def test_line_longer_than_an_event_may_be(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RELEASE_CONSUMER_MAX_EVENT_BYTES", "1024")
        long = event("project-updated", project="web", name="x" * 5_000_000)

        result = run("publish", "--partial", stdin=lines(long, CREATED))

        assert result.stderr.splitlines()[0] == "line 1: $: has more than 1024 bytes"
        assert ids(settings) == ["1"]

    def test_missing_topic_names_the_remedy(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RELEASE_CONSUMER_TOPICS__CATALOG_EVENTS", "test-missing")

        result = run("publish", stdin=lines(CREATED))

        assert result.exit_code == 1
        assert result.stderr.endswith("has no topic test-missing; run `release-consumer setup`\n")
        assert records(settings, settings.topics.release_events) == []

    def test_kafka_that_does_not_answer(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("RELEASE_CONSUMER_STARTUP_TIMEOUT_SECONDS", "0.5")

        result = run("publish", "--bootstrap-servers", "127.0.0.1:1", stdin=lines(CREATED))

        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "Kafka at 127.0.0.1:1 does not answer" in result.stderr
        assert "%3|" not in capfd.readouterr().err  # librdkafka's own words


class TestPublisher:
    def test_keys_land_where_the_java_client_puts_them(self, settings: Settings, services: Services) -> None:
        with Publisher(settings, services.kafka_bootstrap_servers) as publisher:
            for number in range(6):
                publisher.publish(event("release-created", str(number), version=str(number), projects=["web"]))

        places = {record.key(): record.partition() for record in records(settings, settings.topics.release_events)}
        assert places == {f"acme:{number}".encode(): java_partition(f"acme:{number}".encode()) for number in range(6)}
        assert publisher.delivered == {settings.topics.release_events: 6}

    def test_error_in_the_block_is_not_hidden_and_an_invalid_event_is_not_sent(
        self, settings: Settings, services: Services
    ) -> None:
        with (
            pytest.raises(InvalidEvent),
            Publisher(settings, services.kafka_bootstrap_servers) as publisher,
        ):
            publisher.publish(event("project-updated"))

        assert ids(settings) == []

    def test_event_that_the_topic_does_not_take(self, settings: Settings, services: Services) -> None:
        big = event("release-created", version="1", projects=["web"], note=uuid.uuid4().hex * 1_000_000)
        larger = settings.model_copy(
            update={"max_event_bytes": 64 * 1024 * 1024, "kafka": {"compression_type": "none"}}
        )

        with (
            pytest.raises(
                ServiceUnavailable, match=r"did not take an event \(id 1\): .*raise max\.message\.bytes of the topic"
            ),
            Publisher(larger, services.kafka_bootstrap_servers) as publisher,
        ):
            publisher.publish(big)

    def test_typed_events_arrive_and_the_same_again_has_the_same_id(
        self, settings: Settings, services: Services
    ) -> None:
        ids_told = []
        for _ in range(2):
            with Publisher(settings, services.kafka_bootstrap_servers, source="ci:web") as publisher:
                ids_told += [
                    publisher.release_created(organization="acme", version="1.0", projects=["web"]),
                    publisher.organization_updated(organization="acme", options={"apdexThreshold": 300}),
                ]

        assert ids_told[:2] == ids_told[2:]
        assert ids(settings) == sorted(ids_told)
        released = records(settings, settings.topics.release_events)
        assert [(decoded(record).type, decoded(record).source) for record in released] == [
            ("release-created", "ci:web")
        ] * 2

    def test_broker_that_is_killed_leaves_a_bounded_error_and_the_ids(self, own_broker: OwnBroker) -> None:
        impatient = Settings(kafka={"delivery_timeout_ms": "1000"})
        publisher = Publisher(impatient, own_broker.address)
        with publisher:
            kept = publisher.release_deleted(organization="acme", version="1.0")

        own_broker.kill()
        lost = publisher.release_deleted(organization="acme", version="2.0")

        with pytest.raises(ServiceUnavailable, match=f"did not take an event .id {lost}.: "):
            publisher.flush()
        assert kept != lost
        assert publisher.delivered == {"release-events": 1}
        with (
            pytest.raises(ServiceUnavailable, match="does not answer"),
            Publisher(impatient.model_copy(update={"startup_timeout_seconds": 0.5}), own_broker.address),
        ):
            pass

    def test_broker_that_comes_back_in_time_gets_every_event_once(
        self, own_broker: OwnBroker, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Publisher(Settings(), own_broker.address) as publisher:
            for number in range(50):
                publisher.release_deleted(organization="acme", version=str(number), event_id=str(number))
            own_broker.kill()
            for number in range(50, 100):
                publisher.release_deleted(organization="acme", version=str(number), event_id=str(number))
            wait_until(
                lambda: publisher._producer.poll(0) < 0 or "is away" in caplog.text, "it is told that Kafka is away"
            )
            own_broker.start()

        def told() -> list[str]:
            said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
            # A client of an earlier test may hear of its own broker's end only now.
            return [message.partition(" is ")[2][:4] for message in said if own_broker.address in message]

        wait_until(lambda: told()[-1:] == ["back"], "it is told that Kafka is back")
        # More than once where Kafka is so busy after its start that it answers too late.
        assert told() == ["away", "back"] * (len(told()) // 2)
        assert publisher.delivered == {"release-events": 100}
        found = records(Settings(kafka_bootstrap_servers=own_broker.address), "release-events")
        assert sorted(int(decoded(record).id) for record in found) == list(range(100))


class TestPublishGit:
    def test_twice_makes_the_same_events(self, settings: Settings, tmp_path: Path) -> None:
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(tmp_path)]
        for command in (
            ["init", "--quiet"],
            ["commit", "--quiet", "--allow-empty", "-m", "Fixes WEB-1"],
            ["tag", "v1"],
        ):
            subprocess.run([*git, *command], check=True)
        command = ["publish-git", "--organization", "acme", "--project", "web", "--repository", "example/web"]

        first, second = (run(*command, str(tmp_path)) for _ in range(2))

        assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
        assert first.stderr == f"published 2 events: 2 to {settings.topics.release_events}\n"
        sent = [decoded(record) for record in records(settings, settings.topics.release_events)]
        assert [(one.type, one.key, one.source) for one in sent] == [
            ("release-created", "acme:v1", "git:example/web"),
            ("commits-pushed", "acme:v1", "git:example/web"),
        ] * 2
        assert [one.id for one in sent[:2]] == [one.id for one in sent[2:]]

    @pytest.mark.parametrize(
        "options", [["--range", "a..b"], ["--version", "1"], ["--tags", "--range", "a..b", "--version", "1"]]
    )
    def test_options_that_do_not_go_together(self, options: list[str], tmp_path: Path) -> None:
        result = run("publish-git", "--organization", "acme", "--project", "web", *options, str(tmp_path))

        assert result.exit_code == 2

    def test_a_name_that_comes_from_the_folder_is_told(self, settings: Settings, tmp_path: Path) -> None:
        folder = tmp_path / "shop"
        folder.mkdir()
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(folder)]
        commands = (
            ["init", "--quiet"],
            ["commit", "--quiet", "--allow-empty", "-m", "Start"],
            ["remote", "add", "origin", str(tmp_path / "origin.git")],
        )
        for command in commands:
            subprocess.run([*git, *command], check=True)

        result = run("publish-git", "--organization", "acme", "--project", "web", str(folder))

        assert result.exit_code == 0, result.output
        assert "note: the repository is named 'shop' after its folder" in result.stderr
        assert "no remote origin on another machine names it" in result.stderr
        assert {decoded(one).source for one in records(settings, settings.topics.release_events)} == {"git:shop"}

    def test_of_a_shallow_clone_that_lacks_commits_nothing_is_sent(self, settings: Settings, tmp_path: Path) -> None:
        origin, clone = tmp_path / "origin", tmp_path / "clone"
        origin.mkdir()
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(origin)]
        subprocess.run([*git, "init", "--quiet"], check=True)
        for message in ("Start", "Go on", "End"):
            subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", message], check=True)
        subprocess.run(["git", "clone", "--quiet", "--depth=2", origin.as_uri(), str(clone)], check=True)
        for tag, commit in (("v1", "HEAD~1"), ("v2", "HEAD")):
            subprocess.run([*git[:-1], str(clone), "tag", tag, commit], check=True)

        result = run("publish-git", "--organization", "acme", "--project", "web", str(clone))

        assert result.exit_code == 1
        assert "release v1: the repository is a shallow clone that lacks commits" in result.stderr
        assert ids(settings) == []

    def test_slug_that_is_none(self, settings: Settings, tmp_path: Path) -> None:
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(tmp_path)]
        for command in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "Start"]):
            subprocess.run([*git, *command], check=True)

        result = run("publish-git", "--organization", "acme", "--project", "w b", str(tmp_path))

        assert result.exit_code == 2
        assert "$.data.projects[0]: must be ASCII letters" in result.stderr
        assert ids(settings) == []


def java_partition(key: bytes) -> int:
    """Where the Java client's default partitioner puts a key: murmur2 with its seed, sign bit cleared."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    digest = 0x9747B28C ^ len(key)
    whole = len(key) - len(key) % 4
    for start in range(0, whole, 4):
        block = int.from_bytes(key[start : start + 4], "little") * mixer & mask
        block = (block ^ block >> 24) * mixer & mask
        digest = digest * mixer & mask ^ block
    if tail := key[whole:]:
        digest = (digest ^ int.from_bytes(tail, "little")) * mixer & mask
    digest = (digest ^ digest >> 13) * mixer & mask
    return ((digest ^ digest >> 15) & 0x7FFFFFFF) % PARTITIONS
