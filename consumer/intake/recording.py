"""Recording an outcome: the second half of a batch's transaction, after its effects are written."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from consumer.contracts import reasons
from consumer.errors import EventError, Violation
from consumer.intake.backoff import pause_seconds
from consumer.store import activities, dead_letters, outbox, parking, processed_events, streams
from consumer.store.activities import Activity, cloudevent_of
from consumer.store.dead_letters import DeadLetter
from consumer.store.outbox import OutboxRow
from consumer.store.parking import Postponed, Waiting

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.intake.batch import Batch, Item
    from consumer.intake.outcome import Outcome
    from consumer.settings import Settings
    from consumer.store.database import Cursor
    from consumer.store.id_supply import IdSupply
    from consumer.store.working_set import Fact


_KEY_AND_HEADERS_BYTES = 64 * 1024
"""Room for what an announcement has beside its value."""


class Recorder:
    """Writes what became of the events of batches.

    Args:
        supply: ids for new rows.
        settings: group, and pauses between attempts.
    """

    def __init__(self, supply: IdSupply, settings: Settings) -> None:
        self._supply = supply
        self._settings = settings
        self._announced: dict[int, int] = {}
        self._longest = settings.max_message_bytes - _KEY_AND_HEADERS_BYTES

    def note_announced(self, stream_id: int, seq: int) -> None:
        """Kafka has committed the announcements of a stream up to ``seq``: a later batch drops them."""
        self._announced[stream_id] = seq

    def announced(self) -> dict[int, int]:
        """The last number of each stream that Kafka has committed, as far as this worker knows."""
        return dict(self._announced)

    def record(self, cursor: Cursor, batch: Batch, outcome: Outcome, now: datetime) -> None:
        """Write an outcome, in a number of statements that does not depend on how much it is.

        Args:
            cursor: inside the batch's transaction; the rows of its streams are locked.
            batch: what was applied.
            outcome: what became of it.
            now: time of the batch.

        Raises:
            EventError: Kafka would not take an announcement; the batch must be applied without its event.
        """
        self._drop_known_facts(cursor, outcome)
        self._supply.reserve(cursor, {"activity": len(outcome.facts), "dead_letter": len(outcome.buried)})
        self._announce(cursor, batch, outcome, now)
        self._record_waiting(cursor, outcome, now)
        dead_letters.settle(cursor, outcome.settled_letters, now)
        reburied = outcome.reburied
        dead_letters.rebury(
            cursor, [(i.dead_letter_id, error, i.event_type) for i, error in reburied if i.dead_letter_id is not None]
        )
        processed_events.forget(cursor, outcome.forgotten)
        processed_events.remember(cursor, outcome.remembered, now)
        ours = (advance.stream.id for advance in batch.advances)
        outbox.prune(cursor, {id_: self._announced[id_] for id_ in ours if id_ in self._announced})
        streams.tally(cursor, outcome.tallies)

    def _drop_known_facts(self, cursor: Cursor, outcome: Outcome) -> None:
        """What a forced replay does again is neither kept nor announced again."""
        replayed = {item.place for item, _ in outcome.facts if item.is_replay}
        known = activities.find_stored(cursor, replayed)
        if known:
            outcome.facts = [(item, fact) for item, fact in outcome.facts if fact.id not in known]

    def _announce(self, cursor: Cursor, batch: Batch, outcome: Outcome, now: datetime) -> None:
        """Keep activities and dead letters, and queue what announces them, numbered per stream."""
        queue: list[OutboxRow] = []
        numbers = {advance.stream.id: advance.stream.next_seq for advance in batch.advances}

        def number(item: Item) -> int:
            stream_id = item.stream.id
            seq = numbers[stream_id]
            numbers[stream_id] = seq + 1
            outcome.tallies[stream_id].announcements += 1
            return seq

        happened = []
        source = activities.source_of(self._settings.group_id)
        for item, fact in outcome.facts:
            id_, seq = self._supply.next("activity"), number(item)
            cloudevent = cloudevent_of(fact, source=source, stream=str(item.stream.name), seq=seq)
            if len(cloudevent) > self._longest:
                raise _too_large(fact, len(cloudevent), self._longest)
            happened.append(Activity(id_, fact, cloudevent, item.origin_id, item.record.offset))
            queue.append(OutboxRow(item.stream.id, seq, activity_id=id_))
        letters = []
        for item, error in outcome.buried:
            id_ = self._supply.next("dead_letter")
            arrived = item.parked.arrived_at if item.parked else now
            letters.append(DeadLetter(id_, item.origin_id, item.record, item.event_type, error, arrived))
            queue.append(OutboxRow(item.stream.id, number(item), dead_letter_id=id_))
        activities.save_activities(cursor, happened)
        dead_letters.bury(cursor, letters, now)
        outbox.enqueue(cursor, queue)

    def _record_waiting(self, cursor: Cursor, outcome: Outcome, now: datetime) -> None:
        parking.park(
            cursor,
            [
                Waiting(
                    item.stream.id,
                    item.record,
                    item.plan.event.key,
                    str(wait),
                    self._next_attempt(now, 1),
                    item.is_replay and item.dead_letter_id is None,
                    item.dead_letter_id,
                )
                for item, wait in outcome.parked
                if item.plan is not None
            ],
            now,
        )
        parking.postpone(
            cursor,
            [
                Postponed(parked.id, attempts, str(wait), self._next_attempt(now, attempts))
                for item, wait in outcome.postponed
                if (parked := item.parked) is not None and (attempts := parked.attempts + 1)
            ],
        )
        parking.settle(cursor, outcome.unparked)

    def _next_attempt(self, now: datetime, attempts: int) -> datetime:
        """When to try a waiting event again."""
        return now + timedelta(seconds=pause_seconds(self._settings, attempts))


def _too_large(fact: Fact, found: int, limit: int) -> EventError:
    """What an event says may be longer than it is: both values of a change, addresses made of names."""
    text = f"would be announced by {fact.type} of {found} bytes, more than the {limit} that Kafka is to take"
    return EventError(reasons.TOO_LARGE, [Violation("$", text)])
