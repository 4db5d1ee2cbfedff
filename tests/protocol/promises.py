"""What must hold in every state, and what every quiet run must be able to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.state import EVENTS, VISIBLE, Progress

if TYPE_CHECKING:
    from tests.protocol.state import State


def broken_promise(state: State) -> str | None:
    """The promise that this state breaks, in words."""
    database = state.database
    for event, times in enumerate(database.applied):
        if times > 1:
            return f"event {event} is applied {times} times"
    announced = [seq for seq, writer in state.kafka.log if writer == VISIBLE]
    for seq in announced:
        if seq > len(database.outbox):
            return f"number {seq} is announced and not applied"
        if announced.count(seq) > 1:
            return f"number {seq} is announced {announced.count(seq)} times"
    if announced != list(range(1, len(announced) + 1)):
        return f"announced out of order: {announced}"
    if database.pruned > len(announced):
        return f"number {database.pruned} is pruned and not announced"
    return None


def is_done(state: State) -> bool:
    """Whether everything is applied, and announced, and Kafka's committed offset says so."""
    database = state.database
    return (
        database.next_offset == EVENTS
        and all(times == 1 for times in database.applied)
        and [seq for seq, writer in state.kafka.log if writer == VISIBLE] == list(range(1, EVENTS + 1))
        and state.kafka.committed == Progress(EVENTS, EVENTS)
    )
