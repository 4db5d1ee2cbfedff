"""The search: every state that can be reached, the shortest way first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.protocol.announcing import announcing_steps, kafka_steps
from tests.protocol.applying import applying_steps
from tests.protocol.group import group_steps
from tests.protocol.promises import broken_promise, is_done
from tests.protocol.state import State
from tests.protocol.words import DISTURBANCES, NOBODYS, Step

if TYPE_CHECKING:
    from tests.protocol.state import Rules, Steps

STUCK = "nothing but a further disturbance leads to an end where all is applied and announced"

Origin = tuple[int, Step, int, bool]
"""The state before, the step, who did it, and whether the names were exchanged then."""


@dataclass(frozen=True, slots=True)
class Result:
    """How many states were seen; if one breaks a promise: which promise, and the shortest way there."""

    states: int
    failure: str | None = None
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = (f"{number}. {words}" for number, words in enumerate(self.trace, 1))
        return "\n".join([*lines, f"\nThen {self.failure}."]) if self.failure else f"{self.states} states"


def explore(rules: Rules, disturbances: int) -> Result:
    """Search breadth-first, up to the first state that breaks a promise.

    Args:
        rules: the protocol and its world.
        disturbances: how many there may be in a run.
    """
    start = State(left=disturbances)
    states, numbers = [start], {start: 0}
    origins: list[Origin | None] = [None]
    quietly_before: list[list[int]] = [[]]
    # The list grows while it is read: that is the queue of the search.
    for number, state in enumerate(states):
        for step, w, reached in next_steps(state, rules):
            # Two states that differ by the names of the workers alone have the same future.
            exchange = reached.owner == 1
            after = reached.mirrored(rules) if exchange else reached
            found = numbers.get(after)
            if found is None:
                found = numbers[after] = len(states)
                states.append(after)
                origins.append((number, step, w, exchange))
                quietly_before.append([])
                failure = broken_promise(after)
                if failure is not None:
                    return Result(len(states), failure, _trace(origins, found))
            if step not in DISTURBANCES:
                quietly_before[found].append(number)
    stuck = _first_stuck(states, quietly_before)
    return Result(len(states)) if stuck is None else Result(len(states), STUCK, _trace(origins, stuck))


def next_steps(state: State, rules: Rules) -> Steps:
    """Everything that may happen next."""
    for w in range(len(state.workers)):
        yield from applying_steps(state, rules, w)
        yield from announcing_steps(state, rules, w)
        yield from kafka_steps(state, w)
        yield from group_steps(state, rules, w)


def _first_stuck(states: list[State], quietly_before: list[list[int]]) -> int | None:
    """The first state from which no quiet run leads to the end."""
    leads = bytearray(map(is_done, states))
    ways = [number for number, done in enumerate(leads) if done]
    while ways:
        for before in quietly_before[ways.pop()]:
            if not leads[before]:
                leads[before] = True
                ways.append(before)
    stuck = leads.find(0)
    return None if stuck < 0 else stuck


def _trace(origins: list[Origin | None], number: int) -> tuple[str, ...]:
    """The way to a state, in words."""
    way = []
    origin = origins[number]
    while origin is not None:
        way.append(origin)
        origin = origins[origin[0]]
    words, names = [], "AB"
    for _, step, w, exchange in reversed(way):
        words.append(step.value if step in NOBODYS else f"{names[w]} {step.value}")
        names = names[::-1] if exchange else names
    return tuple(words)
