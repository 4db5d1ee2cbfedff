"""Random histories, cut at random into batches: the database must come out as the reference model says.

``MODEL_SEEDS=1000`` soaks with so many histories. A failure prints its seed and the sizes of its batches;
``MODEL_SEED=17 MODEL_BATCHES=3,1,8`` repeats it (the sizes may be left out, they follow from the seed).
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from consumer.contracts.events import ReleaseEvent
from consumer.intake.batch import Batch
from consumer.store import id_supply
from tests.model.reference import ReferenceModel
from tests.model.strategies import as_cloudevent, history
from tests.support.database_state import broken_invariants, dump_rows, failed_checks, read_dead_letters, read_state
from tests.support.differences import differences
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services

Json = dict[str, Any]

SEEDS = int(os.environ.get("MODEL_SEEDS", "60"))
SEED = os.environ.get("MODEL_SEED")
BATCHES = os.environ.get("MODEL_BATCHES")
MOST_DIFFERENCES = 20
DAWN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def applier(services: Services, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[DirectApplier]:
    """An applier that holds just the ids ready that a batch reserves, and does not hide a fault by halving a batch."""
    monkeypatch.setattr(id_supply, "ID_BLOCK", 1)
    monkeypatch.delattr(Batch, "halves")
    direct = DirectApplier(database_url, services.redis_url)
    yield direct
    direct.close()


@pytest.mark.timeout(120 + 5 * SEEDS)
def test_every_history_ends_as_the_model_says(applier: DirectApplier, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "consumer.intake.applying")
    for seed in [int(SEED)] if SEED else range(SEEDS):
        events = history(seed)
        sizes = [int(size) for size in BATCHES.split(",")] if BATCHES else cut(len(events), Random(seed))
        try:
            Comparison(applier, seed).run(events, sizes)
            redone = [message for message in caplog.messages if "is redone" in message]
            assert not redone, "a batch was redone although nobody else writes"
        except BaseException as error:
            error.add_note(f"MODEL_SEED={seed} MODEL_BATCHES={','.join(map(str, sizes))}")
            raise
        applier.forget()


def cut(length: int, random: Random) -> list[int]:
    """Sizes of batches that add up to a length: all small, all big, or mixed."""
    biggest = random.choice([1, 3, 10, length])
    sizes: list[int] = []
    while (rest := length - sum(sizes)) > 0:
        sizes.append(min(rest, random.randint(1, biggest)))
    return sizes


class Comparison:
    """One history on the product and on the model."""

    def __init__(self, applier: DirectApplier, seed: int) -> None:
        self._applier = applier
        self._model = ReferenceModel()
        self._spelling = Random(seed)
        self._started = datetime.now(UTC)
        self._now = DAWN
        self._dead_letters: list[Json] = []

    def run(self, events: Sequence[AnyEvent], sizes: Sequence[int]) -> None:
        """Apply a history, then the same events once more, then the same content under new ids."""
        dead = self._apply_and_compare(events, sizes)
        before = self._dump()
        known = [event for event in events if (event.source, event.id) not in dead]
        self._apply_and_compare(known, sizes)
        assert self._dump() == before, "events sent again changed rows"
        again = [replace(event, id=f"again-{event.id}") for event in events]
        self._apply_and_compare(again, sizes)

    def _apply_and_compare(self, events: Sequence[AnyEvent], sizes: Sequence[int]) -> set[tuple[str, str]]:
        """Returns source and id of those that are dead."""
        dead = set()
        source = iter(events)
        for size in sizes:
            dead |= self._apply_batch(list(islice(source, size)))
        with self._applier.engine.connect() as connection:
            actual = read_state(connection, self._started) | {"deadLetters": read_dead_letters(connection)}
            broken = broken_invariants(connection)
            failed = failed_checks(connection, self._applier.settings.group_id)
        expected = self._model.state() | {"deadLetters": self._dead_letters}
        found = list(differences(by_key(actual), by_key(expected)))
        assert not found, "\n".join(found[:MOST_DIFFERENCES])
        assert not broken, broken
        assert not failed, failed
        return dead

    def _apply_batch(self, batch: Sequence[AnyEvent]) -> set[tuple[str, str]]:
        """In the model in the order that the product promises: the release events of a batch come last."""
        self._applier.supply._ready.clear()
        self._applier.apply([as_cloudevent(event, self._spelling) for event in batch])
        dead = set()
        for event in sorted(batch, key=lambda event: isinstance(event, ReleaseEvent)):
            self._now += timedelta(seconds=1)
            outcome = self._model.apply(event, self._now)
            if outcome.kind == "dead":
                dead.add((event.source, event.id))
                said = {"source": event.source, "id": event.id, "reason": outcome.reason}
                self._dead_letters.append(said | {"paths": sorted(outcome.paths)})
        return dead

    def _dump(self) -> dict[str, list[tuple[Any, ...]]]:
        with self._applier.engine.connect() as connection:
            return dump_rows(connection)


def by_key(state: Json) -> Json:
    """The state with its activities by record key, each in their order: between keys no order is promised.

    Dead letters are by event; one event may be dead more than once.
    """
    activities: defaultdict[str, list[Json]] = defaultdict(list)
    for activity in state["activities"]:
        activities[activity["key"]].append(activity)
    letters: defaultdict[str, list[Json]] = defaultdict(list)
    for letter in state["deadLetters"]:
        letters[f"{letter['source']} {letter['id']}"].append(letter)
    return state | {"activities": activities, "deadLetters": letters}
