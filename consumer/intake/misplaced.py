"""Events that came by another topic or record key than is theirs (SEMANTICS section 2).

They are applied all the same. But it is the record key that keeps the events of one version key in one partition and
so in order; without it their order is chance, which somebody should know.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consumer import metrics
from consumer.contracts.events import ReleaseEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.intake.batch import Item
    from consumer.settings import Topics

log = logging.getLogger(__name__)


class Misplaced:
    """Counts them; the first of a worker is told in its log.

    Args:
        topics: which events belong where.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._is_told = False

    def count(self, items: Iterable[Item]) -> None:
        """Look at a batch that is committed; what waited or is replayed was looked at when it first came."""
        for item in items:
            if item.plan is None or item.parked is not None or item.is_replay:
                continue
            event, record = item.plan.event, item.record
            topics = self._topics
            topic = topics.release_events if isinstance(event, ReleaseEvent) else topics.catalog_events
            if record.topic != topic:
                self._tell(item, "topic", f"belongs on the topic {topic}")
            elif record.key != event.key.encode():
                self._tell(item, "key", f"belongs under the record key {event.key!r}")

    def _tell(self, item: Item, what: str, words: str) -> None:
        metrics.count_misplaced(what)
        if not self._is_told:
            self._is_told = True
            log.warning(
                "%s %s: events of one release or organization may be applied out of order; further ones are only"
                " counted (release_consumer_misplaced_events_total)",
                item,
                words,
            )
