"""The checker itself: it is content with a good run, and finds every kind of fault in a spoilt one."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.checker import Announced, Input, Observed, Position, broken_promises

if TYPE_CHECKING:
    from collections.abc import Callable

RELEASES = ("releases", 0)
CATALOG = ("catalog", 1)


def good() -> Observed:
    """Five records: two that announce three activities, a repeated one, an invalid one, and one on another topic."""
    return Observed(
        inputs=[
            Input(("releases", 0, 0), "a"),
            Input(("releases", 0, 1), "b"),
            Input(("releases", 0, 2), "a"),
            Input(("releases", 0, 3), None),
            Input(("catalog", 1, 7), "c"),
        ],
        positions={
            RELEASES: Position("s1", 0, 5, 5, 2, 1, 0, 1, 1, 5, 4),
            CATALOG: Position("s2", 7, 8, 1, 1, 0, 0, 0, 0, 8, 0),
            ("catalog", 0): Position("s3", 0, 0, 1, 0, 0, 0, 0, 0, None, None),
        },
        processed={"a", "b", "c"},
        dead=[("releases", 0, 3)],
        activities=[("x1", "s1"), ("x2", "s1"), ("x3", "s1")],
        outbox={"s1": [3, 4]},
        announced=[
            Announced(("activity", 0, 0), "k", "x1", "s1", 1),
            Announced(("activity", 1, 0), "l", "x2", "s1", 2),
            Announced(("activity", 0, 2), "k", "x3", "s1", 3),
        ],
        announced_dead=[("releases", 0, 3)],
    )


def moved(seen: Observed, **changes: int | None) -> None:
    seen.positions[RELEASES] = replace(seen.positions[RELEASES], **changes)  # type: ignore[arg-type]


def retold(seen: Observed, number: int, **changes: object) -> None:
    seen.announced[number] = replace(seen.announced[number], **changes)  # type: ignore[arg-type]


def say_twice(seen: Observed) -> None:
    seen.announced.append(replace(seen.announced[-1], place=("activity", 0, 3)))


def swap(seen: Observed) -> None:
    retold(seen, 0, place=("activity", 0, 5))


FAULTS: dict[str, tuple[Callable[[Observed], object], str]] = {
    "a record beyond the position": (lambda s: s.inputs.append(Input(("releases", 0, 5), "d")), "was never reached"),
    "a record of an unread partition": (lambda s: s.inputs.append(Input(("releases", 9, 0), "d")), "was never reached"),
    "an event that was passed": (lambda s: s.processed.discard("b"), "releases-0@1 was passed without effect"),
    "an invalid event that was passed": (lambda s: s.dead.clear(), "and is no dead letter"),
    "a fate too many": (lambda s: moved(s, applied=3), "passed 5 offsets, and tells the fate of 6"),
    "a record counted as absent": (lambda s: moved(s, applied=1, absent=2), "holds 4 records, and tells the fate of 3"),
    "an offset moved back": (lambda s: moved(s, next_offset=4), "passed 4 offsets, and tells the fate of 5"),
    "a parked event that is gone": (lambda s: moved(s, parked=1, applied=1), "tells of 1 parked events, and keeps 0"),
    "an event parked twice": (lambda s: s.parked.extend([("releases", 0, 0)] * 2), "is parked 2 times"),
    "a record dead twice": (lambda s: s.dead.append(s.dead[0]), "is dead 2 times"),
    "a stale committed offset": (lambda s: moved(s, committed_offset=4), "but Kafka has committed 4"),
    "a committed offset that is gone": (lambda s: moved(s, committed_offset=None), "but Kafka has committed None"),
    "stale metadata": (lambda s: moved(s, announced_seq=3), "has numbered 4, but announced 3"),
    "a hole in the outbox": (lambda s: s.outbox.update(s1=[2, 4]), "the outbox of releases-0 holds 2, 4 of 4"),
    "an outbox without its end": (lambda s: s.outbox.update(s1=[2, 3]), "the outbox of releases-0 holds 2, 3 of 4"),
    "an activity said twice": (say_twice, "activity x3 was announced 2 times"),
    "a number said twice": (say_twice, "releases-0 announced number 3 2 times"),
    "an activity kept twice": (lambda s: s.activities.append(("x1", "s1")), "activity x1 is kept 2 times"),
    "an activity not said": (lambda s: s.announced.pop(), "activity x3 was never announced"),
    "a number not said": (lambda s: s.announced.pop(), "never announced 3, 4, of which 1 are dead letters and 0"),
    "an aborted activity": (lambda s: s.activities.pop(), "activity x3 was announced, but is not kept"),
    "a dead letter not said": (lambda s: s.announced_dead.clear(), "dead letter releases-0@3 was never announced"),
    "a dead letter said twice": (lambda s: s.announced_dead.append(s.dead[0]), "releases-0@3 was announced 2 times"),
    "a dead letter of nothing": (lambda s: s.announced_dead.append(("releases", 0, 1)), "releases-0@1 is not kept"),
    "a number beyond": (lambda s: retold(s, 2, sequence=9), "announced 9, but has numbered 4"),
    "a foreign stream": (lambda s: retold(s, 2, stream="s9"), "stream s9 is nobody's"),
    "a key out of order": (swap, "k was told number 1 after 3"),
    "a key in two partitions": (lambda s: retold(s, 2, key="l"), "l was announced in two partitions"),
}


def say_again(seen: Observed) -> None:
    """An operator lets the first activity be announced again; that takes a number."""
    moved(seen, next_seq=6, announced_seq=5)
    seen.outbox.update(s1=[3, 4, 5])
    seen.announced.append(replace(seen.announced[0], place=("activity", 0, 3), replayed=True))


def revive(seen: Observed) -> None:
    """The dead letter is applied after all."""
    moved(seen, applied=3, dead=0)
    seen.inputs[3] = replace(seen.inputs[3], digest="d")
    seen.processed.add("d")
    seen.revived, seen.dead = seen.dead, []


def operated() -> Observed:
    """A good run that operators have worked on."""
    seen = good()
    say_again(seen)
    revive(seen)
    return seen


FAULTS_OF_OPERATORS: dict[str, tuple[Callable[[Observed], object], str]] = {
    "said again and not marked": (lambda s: retold(s, 3, replayed=False), "activity x1 was announced 2 times"),
    "said again twice": (lambda s: s.announced.append(s.announced[3]), "1 are dead letters and 2 were said again"),
    "not said again": (lambda s: s.announced.pop(), "never announced 4, 5, of which 1 are dead letters and 0"),
    "said again too early": (lambda s: retold(s, 3, place=("activity", 0, -1)), "again before it was announced"),
    "said again, and never before": (lambda s: retold(s, 3, id="x9"), "x9 was announced again, but never before"),
    "only said again": (lambda s: s.announced.pop(0), "activity x1 was never announced"),
    "said again as another": (lambda s: retold(s, 3, sequence=2), "x1 was announced again as something else"),
    "revived and forgotten": (lambda s: s.processed.discard("d"), "releases-0@3 was passed without effect"),
    "revived and counted as dead": (lambda s: moved(s, applied=2, dead=1), "tells of 1 dead events, and keeps 0"),
    "revived and never said": (lambda s: s.announced_dead.clear(), "dead letter releases-0@3 was never announced"),
}


@pytest.mark.parametrize("run", [good, operated])
def test_a_good_run_keeps_all_promises(run: Callable[[], Observed]) -> None:
    assert broken_promises(run()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    spoil, complaint = FAULTS[fault]
    seen = deepcopy(good())
    spoil(seen)

    assert any(complaint in promise for promise in broken_promises(seen)), broken_promises(seen)


@pytest.mark.parametrize("fault", FAULTS_OF_OPERATORS)
def test_a_fault_of_what_operators_do_is_found(fault: str) -> None:
    spoil, complaint = FAULTS_OF_OPERATORS[fault]
    seen = operated()
    spoil(seen)

    assert any(complaint in promise for promise in broken_promises(seen)), broken_promises(seen)
