"""A publisher that never tires: events without end, invalid and repeated ones among them."""

from __future__ import annotations

import threading
from itertools import count
from random import Random
from typing import TYPE_CHECKING

from confluent_kafka import Producer

from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from tests.support.crashing import destination, independent_history

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import KafkaError, Message

    from tests.support.checker import Place
    from tests.support.crashing import Outgoing
    from tests.support.product import Product

EVENTS_A_SECOND = 40

_ORGANIZATIONS = 6
_SHARE_REPEATED = 0.03
_REMEMBERED = 2_000
_FLUSH_SECONDS = 120
_STRUCTURED: list[tuple[str, str | bytes | None]] = [(CONTENT_TYPE, STRUCTURED_JSON)]


class Publisher:
    """Publishes to one installation until it is told to pause; Kafka may go away meanwhile.

    Args:
        product: the installation.
        seed: of the events.
    """

    def __init__(self, product: Product, seed: int) -> None:
        self._product = product
        self._events = _events(seed)
        # Idempotent: what it sends again after an outage is no second record, and stays in order.
        self._producer = Producer(
            {"bootstrap.servers": product.settings.kafka_bootstrap_servers, "enable.idempotence": True, "log_level": 0}
        )
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None
        self.acknowledged: set[Place] = set()
        self.refused: list[str] = []

    def go_on(self) -> None:
        """Publish, in a thread of its own."""
        self._pause.clear()
        self._thread = threading.Thread(target=self._publish, name="publisher", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop, and wait until Kafka has everything."""
        self._pause.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        left = self._producer.flush(_FLUSH_SECONDS)
        if left:
            self.refused.append(f"{left} records were not acknowledged in {_FLUSH_SECONDS} s")

    def _publish(self) -> None:
        while not self._pause.wait(1 / EVENTS_A_SECOND):
            record = next(self._events)
            topic, partition = destination(self._product, record)
            self._producer.produce(
                topic, record.value, record.key, partition=partition, headers=_STRUCTURED, on_delivery=self._delivered
            )
            self._producer.poll(0)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.refused.append(error.str())
        else:
            self.acknowledged.add((str(message.topic()), message.partition() or 0, message.offset() or 0))


def _events(seed: int) -> Iterator[Outgoing]:
    random = Random(seed)
    past: list[Outgoing] = []
    for portion in count():
        for record in independent_history(seed + portion, _ORGANIZATIONS, first=portion * _ORGANIZATIONS):
            yield record
            past.append(record)
            if random.random() < _SHARE_REPEATED:
                yield random.choice(past)
        del past[:-_REMEMBERED]
