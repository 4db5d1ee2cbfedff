"""Notices that an input topic was deleted and created anew while a worker runs (DESIGN section 1).

Kafka's client goes on to wait for what follows the old offsets, which would look like an idle topic.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.intake.kafka import Cluster

_PERIOD_SECONDS = 5.0


class TopicWatch:
    """Asks Kafka now and then what the topics are, from a thread of its own.

    Args:
        cluster: asked.
        names: the input topics.
        period_seconds: between two questions.
    """

    def __init__(self, cluster: Cluster, names: Sequence[str], period_seconds: float = _PERIOD_SECONDS) -> None:
        self._cluster = cluster
        self._names = names
        self._period = period_seconds
        self._ids: dict[str, str] = {}
        self._anew: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="topic-watch", daemon=True)

    def start(self) -> None:
        """Start the thread; the topics are taken for what they are at its first answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop asking; does not wait for an answer under way."""
        self._stopping.set()

    def require_same(self) -> None:
        """Make sure that the topics are those that this worker began with.

        Raises:
            UsageError: one was created anew.
        """
        if self._anew is not None:
            message = (
                f"Kafka topic {self._anew!r} was deleted and created anew; run `release-consumer run` again: it is read"
                " from its beginning"
            )
            raise UsageError(message)

    def _run(self) -> None:
        while self._anew is None and not self._stopping.is_set():
            self._look()
            self._stopping.wait(self._period)

    def _look(self) -> None:
        for name in self._names:
            try:
                id_ = self._cluster.topics([name])[name].id
            except (KafkaException, UsageError):
                # Away, or deleted and not created anew yet.
                continue
            if self._ids.setdefault(name, id_) != id_:
                self._anew = name
