"""Taking a partition over and applying: what ``consumer/intake`` and ``consumer/store/streams.py`` do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.announcing import believe, can_fetch
from tests.protocol.state import EVENTS, Batch, Claim, Lane, put
from tests.protocol.words import Step

if TYPE_CHECKING:
    from tests.protocol.state import Database, Rules, State, Steps, Worker


def applying_steps(state: State, rules: Rules, w: int) -> Steps:
    """What the main thread and the apply thread of a worker may do."""
    worker = state.workers[w]
    if worker.claim is None:
        if worker.holds:
            yield from _take_over(state, rules, w)
    elif worker.batch is None:
        if not worker.claim.current:
            yield Step.LOOK_AGAIN, w, state.put(w, worker.let_go())
        if worker.claim.position < EVENTS:
            yield from _apply(state, rules, w, worker.claim)
    if worker.batch is not None:
        yield from _retry(state, rules, w, worker.batch) if worker.batch.lost else _hear(state, rules, w, worker.batch)


def _take_over(state: State, rules: Rules, w: int) -> Steps:
    worker = state.workers[w]
    if not rules.raises_before_fetch and worker.fetched_early is None:
        if worker.attempt is None and can_fetch(state, rules):
            yield Step.FETCH_EARLY, w, state.put(w, worker._replace(fetched_early=state.kafka.committed))
        return
    database = state.database
    lane = Lane(database.next_offset, len(database.outbox))
    claimed = worker._replace(claim=Claim(current=True, position=database.next_offset), lane=lane, fetched_early=None)
    if worker.fetched_early is not None:
        claimed = believe(claimed, lane, worker.fetched_early, database)
    yield Step.CLAIM, w, state.raise_epoch().put(w, claimed)


def _apply(state: State, rules: Rules, w: int, claim: Claim) -> Steps:
    worker = state.workers[w]
    written = _write(state.database, rules, worker, claim.position, current=claim.current)
    if written is None:
        yield Step.FENCED, w, state.put(w, worker.let_go())
    else:
        batch = Batch(claim.position, len(written.outbox), claim.current)
        yield Step.APPLY, w, state.put(w, worker._replace(batch=batch))._replace(database=written)


def _write(database: Database, rules: Rules, worker: Worker, offset: int, *, current: bool) -> Database | None:
    """The transaction of a batch of one event, ``None`` where it is fenced: offset, effect, outbox, pruning."""
    if (rules.compares_epoch and not current) or (rules.compares_offset and database.next_offset != offset):
        return None
    database = database._replace(next_offset=offset + 1, pruned=max(database.pruned, worker.may_prune))
    times = database.applied[offset]
    if times and rules.remembers_ids:
        return database
    return database._replace(applied=put(database.applied, offset, times + 1), outbox=(*database.outbox, offset))


def _hear(state: State, rules: Rules, w: int, batch: Batch) -> Steps:
    worker = state.workers[w]
    heard = worker._replace(batch=None)
    offset = batch.expected + 1
    if batch.mine and worker.claim is not None:
        heard = heard._replace(claim=worker.claim._replace(position=offset))
    if worker.lane is not None and (batch.mine or not rules.ties_answer_to_claim):
        heard = heard._replace(lane=worker.lane._replace(offset=offset, seq=batch.seq))
    yield Step.HEAR, w, state.put(w, heard)


def _retry(state: State, rules: Rules, w: int, batch: Batch) -> Steps:
    worker, database = state.workers[w], state.database
    written = _write(database, rules, worker, batch.expected, current=batch.current)
    if written is not None:
        found = batch._replace(lost=False, seq=len(written.outbox))
        yield Step.APPLY_AGAIN, w, state.put(w, worker._replace(batch=found))._replace(database=written)
    elif batch.current and database.next_offset == batch.expected + 1:
        found = batch._replace(lost=False, seq=len(database.outbox))
        yield Step.WAS_COMMITTED, w, state.put(w, worker._replace(batch=found))
    else:
        yield Step.GIVE_UP, w, state.put(w, worker._replace(batch=None).let_go())
