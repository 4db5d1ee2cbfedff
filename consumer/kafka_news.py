"""What a Kafka client says while it works: that Kafka is away, once, and that it is back.

librdkafka reports every failed connection, dozens a second during an outage, on stderr unless told otherwise. Here the
reports are only the occasion to ask whether Kafka answers; what is said, on the logger ``consumer.kafka``, is what was
found.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import KafkaError
    from confluent_kafka.admin import AdminClient

log = logging.getLogger("consumer.kafka")

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.5
_CALM_SECONDS = 10.0
"""After an outage: what fails within this time is looked at once, at its end."""

_CONNECTION_LINE = "FAIL"
"""librdkafka's mark of log lines about connections, each of which the error callback reports too."""


class KafkaNews:
    """Takes the reports of one Kafka client that is polled: those of others would pile up in its queue.

    Args:
        properties: librdkafka properties by which Kafka is asked whether it answers; ``bootstrap.servers`` among them.
    """

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._properties = dict(properties)
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._watching = False

    def error(self, error: KafkaError) -> None:
        """The ``error_cb`` of librdkafka: a connection failed, or all did."""
        with self._lock:
            if self._reason is None or error.name() != "_ALL_BROKERS_DOWN":  # that one gives no reason
                self._reason = error.str()
            if self._watching:
                return
            self._watching = True
        threading.Thread(target=self._watch, name="kafka-news", daemon=True).start()

    def log(self, level: int, template: str, kind: str, client: str, text: str) -> None:
        """The ``logger`` of librdkafka: what the client would print on stderr, but for failed connections.

        Args:
            level: of Python's logging.
            template: not used.
            kind: librdkafka's mark, such as ``MAXPOLL``.
            client: name of the client.
            text: the words.
        """
        del template
        if kind == _CONNECTION_LINE:
            level = logging.DEBUG
        elif level <= logging.WARNING:
            level = logging.INFO  # what the client tries again by itself
        log.log(level, "%s [%s] %s", kind, client, text)

    def _watch(self) -> None:
        # Imported here: most commands that read settings need no Kafka.
        from confluent_kafka.admin import AdminClient

        admin = AdminClient(self._properties)
        while (reason := self._next_reason()) is not None:
            if self._tell_of_outage(admin, reason):
                time.sleep(_CALM_SECONDS)

    def _next_reason(self) -> str | None:
        """Why to ask (again); ``None`` ends the watch."""
        with self._lock:
            reason, self._reason = self._reason, None
            self._watching = reason is not None
        return reason

    def _tell_of_outage(self, admin: AdminClient, reason: str) -> bool:
        """Ask until Kafka answers; says whether it was away. What ended before it was asked is no news."""
        servers = self._properties["bootstrap.servers"]
        if _answers(admin):
            return False
        log.warning("Kafka at %s is away: %s", servers, reason)
        while not _answers(admin):
            time.sleep(_PAUSE_SECONDS)
        log.warning("Kafka at %s is back", servers)
        return True


def _answers(admin: AdminClient) -> bool:
    from confluent_kafka import KafkaException  # imported here: see above

    try:
        admin.list_topics(timeout=_ANSWER_SECONDS)
    except KafkaException:
        return False
    return True
