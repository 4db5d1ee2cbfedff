"""How long an event takes from its publisher to a subscriber of the announcements."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import orjson
from confluent_kafka import OFFSET_END, Consumer, TopicPartition

from consumer.client.publisher import Publisher
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.client import Document
    from consumer.settings import Settings

_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.05
_SETTLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from the call that publishes an event to the arrival of its last announcement."""

    median_ms: float
    p99_ms: float


def measure_latency(settings: Settings, documents: Sequence[Document], events_per_second: float) -> Latency:
    """Publish events at an even rate, and watch the announcements as a subscriber that reads committed data.

    Args:
        settings: the place, where a worker runs.
        documents: events that each set the commits of a release: the announcement that is awaited.
        events_per_second: the rate.

    Raises:
        UsageError: an event was not announced within a minute.
    """
    sent: dict[str, float] = {}
    with _Subscriber(settings, len(documents)) as subscriber:
        with Publisher(settings) as publisher:
            begun = time.perf_counter()
            for number, document in enumerate(documents):
                pause = begun + number / events_per_second - time.perf_counter()
                if pause > 0:
                    time.sleep(pause)  # keeps the rate, which is what is measured at
                sent[document["id"]] = time.perf_counter()
                publisher.publish(document)
        arrived = subscriber.wait()
    missing = sent.keys() - arrived.keys()
    if missing:
        message = f"{len(missing)} of {len(sent)} events were not announced in {_PATIENCE_SECONDS:.0f} s"
        raise UsageError(message)
    milliseconds = sorted((arrived[id_] - moment) * 1000 for id_, moment in sent.items())
    return Latency(_quantile(milliseconds, 0.5), _quantile(milliseconds, 0.99))


def _quantile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


class _Subscriber:
    """Notes when the commits of events are announced, in a thread of its own."""

    def __init__(self, settings: Settings, expected: int) -> None:
        self._arrived: dict[str, float] = {}
        self._expected = expected
        self._consumer = Consumer(
            {
                **settings.kafka_client(settings.kafka_bootstrap_servers or ""),
                "group.id": f"{settings.group_id}-latency",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            }
        )
        topic = settings.topics.activity
        partitions = self._consumer.list_topics(topic, timeout=_SETTLED_SECONDS).topics[topic].partitions
        ends = [TopicPartition(topic, p, OFFSET_END) for p in partitions]
        for end in ends:
            _, end.offset = self._consumer.get_watermark_offsets(end, timeout=_SETTLED_SECONDS)
        self._consumer.assign(ends)
        self._complete = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="subscriber", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def wait(self) -> dict[str, float]:
        """Wait for the rest; event id -> when its commits were announced (of ``perf_counter``)."""
        self._complete.wait(_PATIENCE_SECONDS)
        return self._arrived

    def _read(self) -> None:
        while not self._stop.is_set() and not self._complete.is_set():
            message = self._consumer.poll(_POLL_SECONDS)
            if message is None or message.error() is not None:
                continue
            moment = time.perf_counter()
            event = orjson.loads(message.value() or b"{}")
            if event["type"] == "activity.release.commits-set":
                self._arrived[event["causeid"]] = moment
                if len(self._arrived) >= self._expected:
                    self._complete.set()
