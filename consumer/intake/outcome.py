"""The outcome of a batch: what becomes of each of its events, gathered while they are applied in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer.codes import DeadLetterStatus
from consumer.errors import EventError, Violation
from consumer.store.streams import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.errors import MustWait
    from consumer.intake.batch import Batch, Item
    from consumer.store.working_set import Fact

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outcome:
    """Fates of items, and what of them is to be written.

    An event is counted once, when it first comes. One that waited, or was a dead letter, is counted anew when its
    fate changes; one that a forced replay brings again is not.

    Args:
        tallies: stream id -> counts.
        facts: what happened, with the item that caused it.
        buried: new dead letters.
        reburied: dead letters that were tried again in vain.
        settled_letters: dead letters that were tried again, and what became of them.
        parked: events that wait from now on.
        postponed: events that go on waiting.
        unparked: ids of parked events that wait no longer.
        remembered: event ids seen from now on, with the record that each came by.
        forgotten: event ids that may come again, mended.
        fresh: events that had not come before.
    """

    tallies: dict[int, Tally] = field(default_factory=dict)
    facts: list[tuple[Item, Fact]] = field(default_factory=list)
    buried: list[tuple[Item, EventError]] = field(default_factory=list)
    reburied: list[tuple[Item, EventError]] = field(default_factory=list)
    settled_letters: dict[int, DeadLetterStatus] = field(default_factory=dict)
    parked: list[tuple[Item, MustWait]] = field(default_factory=list)
    postponed: list[tuple[Item, MustWait]] = field(default_factory=list)
    unparked: list[int] = field(default_factory=list)
    remembered: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    fresh: int = 0

    def pass_offsets(self, batch: Batch) -> None:
        """Count the offsets of a batch that hold no record; those of a replay were counted before."""
        records: dict[int, int] = {}
        for item in batch.items:
            if item.parked is None and not item.is_replay:
                records[item.stream.id] = records.get(item.stream.id, 0) + 1
        self.fresh = sum(records.values())
        for advance in batch.advances:
            stream = advance.stream
            passed = max(0, advance.next_offset - max(advance.expected, stream.frontier))
            self._tally(stream.id).absent += passed - records.get(stream.id, 0)

    def apply(self, item: Item, facts: Iterable[Fact]) -> None:
        """It took effect."""
        self.facts += [(item, fact) for fact in facts]
        self._end(item, "applied")
        if item.digest is not None and not item.is_remembered:
            self.remembered[item.digest] = (*item.place, item.record.fingerprint)

    def ignore(self, item: Item) -> None:
        """An event of its id took effect before."""
        if item.parked is None and item.dead_letter_id is None and not item.is_replay:
            self._tally(item.stream.id).duplicate += 1  # as it is nearly always, and most of what a replay costs
        else:
            self._end(item, "duplicate")

    def wait(self, item: Item, wait: MustWait, attempts_allowed: int) -> None:
        """It cannot be applied yet; after the last attempt it is a dead letter."""
        if item.parked is None:
            self.parked.append((item, wait))
            if item.dead_letter_id is not None:
                self.settled_letters[item.dead_letter_id] = DeadLetterStatus.REPLAYING
            elif item.digest is not None and not item.is_remembered:
                self.remembered[item.digest] = (*item.place, item.record.fingerprint)
            self._count(item, "parked")
        elif item.parked.attempts + 1 >= attempts_allowed:
            self.bury(item, EventError(wait.reason, [Violation("$", str(wait))]))
        else:
            self.postponed.append((item, wait))

    def bury(self, item: Item, error: EventError) -> None:
        """It cannot be applied."""
        if item.dead_letter_id is not None:
            if item.parked is not None:
                self.reburied.append((item, error))
                self._leave(item)
                self._count(item, "dead")
            return
        if item.is_replay:
            log.warning("%s was applied before and cannot be applied again: %s", item, error)
            self._leave(item)
            return
        self.buried.append((item, error))
        self._leave(item)
        self._count(item, "dead")
        if item.parked is not None and item.digest is not None:
            self.forgotten.append(item.digest)

    def _end(self, item: Item, fate: str) -> None:
        if item.dead_letter_id is not None:
            self.settled_letters[item.dead_letter_id] = DeadLetterStatus.REPLAYED
        self._leave(item)
        self._count(item, fate)

    def _leave(self, item: Item) -> None:
        if item.parked is not None:
            self.unparked.append(item.parked.id)

    def _count(self, item: Item, fate: str) -> None:
        """Move the event from where it was counted, if it was, to its fate."""
        # A dead letter stays with the stream that it came by.
        now = self._tally(item.origin_id if fate == "dead" else item.stream.id)
        if item.parked is not None and not item.parked.replayed:
            before = self._tally(item.origin_id)
            before.parked -= 1
            # Two rows where the topic was created anew while it waited.
            before.adopted -= 1
            now.adopted += 1
        elif item.is_replay and item.dead_letter_id is not None:
            now.dead -= 1
        elif item.is_replay:
            return
        setattr(now, fate, getattr(now, fate) + 1)

    def _tally(self, stream_id: int) -> Tally:
        tally = self.tallies.get(stream_id)
        if tally is None:
            tally = self.tallies[stream_id] = Tally()
        return tally
