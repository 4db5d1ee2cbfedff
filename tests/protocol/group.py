"""The group's coordinator, and what befalls workers: assignment, expulsion, crash; and the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.state import Worker, put
from tests.protocol.words import Step

if TYPE_CHECKING:
    from tests.protocol.state import Rules, State, Steps


def group_steps(state: State, rules: Rules, w: int) -> Steps:
    """Membership. Nothing waits here for a batch or a transaction under way: in the product that has a time-out."""
    worker = state.workers[w]
    if not worker.member:
        yield Step.JOIN, w, state.put(w, worker.let_go()._replace(member=True, holds=False))
    elif state.owner is None:
        yield Step.ASSIGN, w, state.put(w, worker._replace(holds=True))._replace(owner=w)
    if state.left:
        yield from _disturbances(state._replace(left=state.left - 1), rules, w)


def _disturbances(state: State, rules: Rules, w: int) -> Steps:
    worker = state.workers[w]
    if state.owner == w:
        unowned = state._replace(owner=None)
        yield Step.EXPEL, w, unowned.put(w, worker._replace(member=False))
        yield Step.REVOKE, w, unowned.put(w, worker.let_go()._replace(holds=False))
    if worker.holds or worker.batch is not None or worker.attempt is not None:
        yield Step.CRASH, w, _crash(state, rules, w)
    if worker.batch is not None and not worker.batch.lost:
        yield Step.LOSE_COMMIT, w, state.put(w, worker._replace(batch=worker.batch._replace(lost=True)))
    if rules.operator_replays and w == 0 and state.database.next_offset:
        moved = state._replace(database=state.database._replace(next_offset=0))
        yield (Step.REPLAY, w, moved.raise_epoch()) if rules.replay_raises_epoch else (Step.REPLAY_ONLY, w, moved)


def _crash(state: State, rules: Rules, w: int) -> State:
    """All that it knew is gone. Its open transaction is not."""
    id_ = rules.id_of(w)
    kafka = state.kafka
    if kafka.producers[id_] == w:
        kafka = kafka._replace(producers=put(kafka.producers, id_, None))
    owner = None if state.owner == w else state.owner
    return state.put(w, Worker())._replace(owner=owner, kafka=kafka)
