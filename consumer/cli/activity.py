"""``activity``: what is announced."""

from __future__ import annotations

import signal
import sys
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import click
import orjson
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from consumer.cli.output import cell, json_option, print_json_line
from consumer.contracts.cloudevents import to_document
from consumer.errors import InvalidEvent, ServiceUnavailable, UsageError
from consumer.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.contracts.cloudevents import Headers

ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.5


@click.group()
def activity() -> None:
    """Read the activity topic.

    \b
    Example:
      release-consumer activity tail --from-beginning --until-caught-up
    """


@activity.command()
@click.option("--from-beginning", is_flag=True, help="Start with the oldest activity, not with the next one.")
@click.option("--until-caught-up", is_flag=True, help="End after what was there at the start.")
@click.option("--type", "event_type", help="Only activities of this type, such as activity.group.resolved.")
@json_option
def tail(*, from_beginning: bool, until_caught_up: bool, event_type: str | None, as_json: bool) -> None:
    """Print announced activities as they come, one CloudEvent a line; only committed ones are seen.

    Ends on Ctrl-C or SIGTERM.

    \b
    Example:
      release-consumer activity tail --from-beginning --until-caught-up --type activity.group.resolved --json
    """
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = load_settings()
    topic = settings.topics.activity
    servers = _servers(settings)
    with closing(Consumer(_configuration(settings, servers))) as consumer:
        partitions = _partitions(consumer, topic, OFFSET_BEGINNING if from_beginning else OFFSET_END)
        ends = _ends(settings, servers, partitions) if until_caught_up else None
        consumer.assign(partitions)
        for message in _messages(consumer, ends, stop):
            event = _event(message)
            if event_type is None or event.get("type") == event_type:
                print_json_line(event) if as_json else click.echo(_for_people(event))


def _servers(settings: Settings) -> str:
    if settings.kafka_bootstrap_servers is not None:
        return settings.kafka_bootstrap_servers
    from consumer.services import resolve_services  # only where no server is named

    return resolve_services(settings).kafka_bootstrap_servers


def _configuration(settings: Settings, servers: str) -> dict[str, Any]:
    return {
        **settings.kafka_client(servers),
        # librdkafka wants a group, though nothing is ever committed or joined.
        "group.id": f"{settings.group_id}-tail",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        # Its own words on stderr would repeat what the command says.
        "log_level": 0,
    }


def _partitions(consumer: Consumer, topic: str, offset: int) -> list[TopicPartition]:
    try:
        metadata = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    except KafkaException as error:
        msg = (
            f"Kafka does not answer within {ANSWER_SECONDS:g} s: {error.args[0].str()}; "
            "check RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS, or run `release-consumer stack up`"
        )
        raise ServiceUnavailable(msg) from error
    if metadata.error is not None:
        if metadata.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            msg = f"Kafka has no topic {topic!r}; run `release-consumer setup`"
            raise UsageError(msg)
        raise KafkaException(metadata.error)
    return [TopicPartition(topic, number, offset) for number in metadata.partitions]


def _ends(settings: Settings, servers: str, partitions: list[TopicPartition]) -> dict[int, int]:
    """Per partition where it ends, open transactions included.

    A worker's transaction is decided a moment before Kafka marks its records as committed: who asked for committed
    ends in between would miss the last announcements.
    """
    admin = AdminClient({**settings.kafka_client(servers), "log_level": 0})
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped there
    asked = {TopicPartition(partition.topic, partition.partition): latest for partition in partitions}
    futures = admin.list_offsets(asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=ANSWER_SECONDS)
    return {partition.partition: future.result().offset for partition, future in futures.items()}


def _messages(consumer: Consumer, ends: dict[int, int] | None, stop: Event) -> Iterator[Message]:
    """Messages until ``stop``, or up to ``ends``.

    The last offsets before an end may be markers of transactions, which no message ever has: the end of the
    partition is told by an event of its own.
    """
    following = ends is None
    behind = set(ends or ())
    while not stop.is_set() and (following or behind):
        message = consumer.poll(POLL_SECONDS)
        if message is None:
            continue
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # its public name
            if following and error.retriable():
                continue
            raise KafkaException(error)
        partition, offset = cast("int", message.partition()), cast("int", message.offset())
        end = ends[partition] if ends is not None else sys.maxsize
        if error is None and offset < end:
            yield message
        if offset >= (end - 1 if error is None else end):
            behind.discard(partition)


def _event(message: Message) -> dict[str, Any]:
    try:
        return to_document(message.value() or b"", cast("Headers | None", message.headers()))
    except InvalidEvent as error:
        place = f"{message.topic()}/{message.partition()}@{message.offset()}"
        msg = f"record {place} is not a CloudEvent: {error}; something else writes to this topic"
        raise UsageError(msg) from None


def _for_people(event: dict[str, Any]) -> str:
    return cell(
        f"{event.get('time', '')}  {event.get('type', '')}  {event.get('subject', '')}  "
        f"{orjson.dumps(event.get('data')).decode()}"
    )
