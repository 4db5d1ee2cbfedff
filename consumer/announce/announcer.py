"""The announcer: exactly-once out (DESIGN section 2), whatever becomes of Kafka meanwhile.

A speaker (``speaker.py``) does the announcing in a thread of its own; the announcer is what the worker knows of it,
and watches it.

**A speaker that hangs.** Every call of Kafka's client has a time-out, but librdkafka has ignored them before: once it
had lost the coordinator of transactions, ``send_offsets_to_transaction`` never returned. A call that lasts longer
than any honest one can, twice the time-out of transactions and a margin, makes the announcer start another speaker,
with a new producer of the same transactional id. That announces nothing twice, though both have the same epochs and
the check in PostgreSQL cannot tell them apart:

* The new speaker first initializes its producer. Kafka answers only when the transaction of the old one is settled,
  and refuses a commit of the old one from then on (``ProducerFenced``).
* Only then it reads back what the group has committed. So a commit of the old one either is in what it reads, or
  never happens.
* The old speaker may wake at any time. What it still does in Kafka is fenced; what it would note about lanes is
  refused (``Replaced``), and it ends. If it wakes in ``init_transactions`` it fences the new one instead: then the old
  one ends without announcing anything, and the new one makes itself a new producer.

A speaker that never wakes costs a thread and a producer. With more than a few of them the worker fails: a supervisor
starts it again, and the new process is to Kafka what a new speaker is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consumer.announce.lane import Lane, Lanes
from consumer.announce.speaker import Means, Speaker
from consumer.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confluent_kafka import Producer
    from sqlalchemy import Engine

    from consumer.announce.group_offsets import GroupOffsets
    from consumer.settings import Settings
    from consumer.store.streams import Stream

log = logging.getLogger(__name__)

_MARGIN_SECONDS = 5.0
_MOST_STUCK = 3
_STOP_SECONDS = 0.5


class Announcer:
    """Announces what the worker applied, from a thread of its own.

    Args:
        group: tells how far each partition is announced.
        make_producer: makes a transactional producer that is not initialized yet.
        engine: PostgreSQL; one connection is used at a time.
        settings: topics, batch size, time-outs.
        on_announced: told stream id and number after each commit.
    """

    def __init__(
        self,
        group: GroupOffsets,
        make_producer: Callable[[], Producer],
        engine: Engine,
        settings: Settings,
        on_announced: Callable[[int, int], None],
    ) -> None:
        self._membership: object = None
        self._longest_call_seconds = 2 * settings.transaction_timeout_seconds + _MARGIN_SECONDS
        self._means = Means(group, lambda: self._membership, make_producer, engine, settings)
        self._lanes = Lanes(on_announced)
        self._speaker = Speaker(self._lanes, self._means)
        self._stuck: list[Speaker] = []

    def start(self) -> None:
        """Start the thread."""
        self._lanes.give_to(self._speaker)
        self._speaker.start()

    def speak_for(self, membership: object) -> None:
        """Take note of the worker's present membership of the group (``consumer_group_metadata``).

        Kafka refuses offsets of a member that has rejoined since; the worker must tell before and while it announces.
        """
        self._membership = membership

    def take_over(self, topic: str, partition: int, stream: Stream) -> None:
        """A stream was claimed: its epoch is raised, only now may its committed offset be fetched."""
        self._lanes.add(Lane(topic, partition, stream, stream.next_offset, stream.next_seq - 1))

    def applied(self, batch_streams: Iterable[Stream]) -> None:
        """A batch committed in PostgreSQL: there may be something to announce."""
        self._lanes.applied(batch_streams)

    def let_go(self, stream_ids: Iterable[int], timeout_seconds: float) -> None:
        """Forget streams, after the transaction under way is settled: before a revoke callback returns."""
        self._lanes.remove(stream_ids, timeout_seconds)

    def raise_failure(self) -> None:
        """Make sure that announcing goes on; the worker asks at every turn.

        Raises:
            ServiceUnavailable: one speaker after the other hangs in Kafka's client.
            BaseException: whatever ended the thread: without it nothing would be announced any more.
        """
        if self._speaker.failure is not None:
            raise self._speaker.failure
        call = self._speaker.present_call
        if call is not None and call[1] > self._longest_call_seconds:
            self._replace_speaker(*call)

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until all lanes are settled; says whether they are."""
        return self._lanes.wait_until_settled(timeout_seconds)

    def stop(self) -> None:
        """Stop announcing; waits for the transaction under way, but half a second at most.

        What is not settled by then Kafka aborts by the time-out, or when a worker of the same name starts.
        """
        self._lanes.stop()
        self._speaker.join(_STOP_SECONDS)

    def _replace_speaker(self, call: str, seconds: float) -> None:
        self._stuck = [speaker for speaker in [*self._stuck, self._speaker] if speaker.is_alive]
        if len(self._stuck) > _MOST_STUCK:
            message = (
                f"Kafka's client hangs: {call} has not ended in {seconds:.0f} s, nor have {_MOST_STUCK} calls before;"
                " run `release-consumer run` again"
            )
            raise ServiceUnavailable(message)
        log.error("%s has not ended in %.0f s: going on with a new producer", call, seconds)
        self._speaker = Speaker(self._lanes, self._means)
        self.start()
