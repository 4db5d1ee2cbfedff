"""Announcing: what ``consumer/announce/announcer.py`` does, and Kafka with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.state import Attempt, Progress, put
from tests.protocol.words import Step

if TYPE_CHECKING:
    from tests.protocol.state import Database, Kafka, Lane, Rules, State, Steps, Worker


def announcing_steps(state: State, rules: Rules, w: int) -> Steps:
    """What the announcer of a worker may do."""
    worker = state.workers[w]
    ready = state.kafka.producers[rules.id_of(w)] == w
    if worker.attempt is not None:
        if ready:
            yield from _go_on(state, rules, w, worker.attempt)
        else:
            yield Step.FAIL, w, state.put(w, _end(worker, rules))
    elif worker.lane is not None and not worker.lane.settled:
        if not ready:
            yield Step.INIT, w, state._replace(kafka=_init(state.kafka, rules.id_of(w), w))
        elif worker.lane.announced is not None:
            yield Step.PRODUCE, w, _produce(state, rules, w, worker.lane, worker.lane.announced)
        elif can_fetch(state, rules):
            fetched = believe(worker, worker.lane, state.kafka.committed, state.database)
            yield Step.FETCH, w, state.put(w, fetched)


def kafka_steps(state: State, id_: int) -> Steps:
    """Kafka ends a transaction that is open for too long: its worker has crashed, or stalls."""
    kafka = state.kafka
    if not kafka.is_open(id_):
        return
    aborted = state._replace(kafka=kafka.abort(id_)._replace(producers=put(kafka.producers, id_, None)))
    if kafka.producers[id_] is None:
        yield Step.TIME_OUT, id_, aborted
    elif state.left:
        yield Step.STALL, id_, aborted._replace(left=state.left - 1)


def can_fetch(state: State, rules: Rules) -> bool:
    """A fetch of stable offsets waits while a transaction holds offsets."""
    return not rules.fetches_stable or not any(state.kafka.pending)


def believe(worker: Worker, lane: Lane, fetched: Progress, database: Database) -> Worker:
    """Take over what Kafka says is announced; where it says nothing that can be, all that the outbox holds is not."""
    committed: int | None = fetched.offset
    announced = fetched.seq
    if not 0 <= announced <= lane.seq:
        committed = None
        announced = lane.seq if database.pruned == len(database.outbox) else database.pruned
    return worker._replace(lane=lane._replace(committed=committed, announced=announced), may_prune=announced)


def _init(kafka: Kafka, id_: int, w: int) -> Kafka:
    return kafka.abort(id_)._replace(producers=put(kafka.producers, id_, w))


def _produce(state: State, rules: Rules, w: int, lane: Lane, announced: int) -> State:
    worker, kafka, id_ = state.workers[w], state.kafka, rules.id_of(w)
    first = max(announced, state.database.pruned) + 1
    log = (*kafka.log, *((seq, id_) for seq in range(first, lane.seq + 1)))
    current = worker.claim is not None and worker.claim.current
    producing = worker._replace(attempt=Attempt(lane.offset, lane.seq, current))
    if not rules.prunes_only_committed:
        producing = producing._replace(may_prune=lane.seq)
    return state.put(w, producing)._replace(kafka=kafka._replace(log=log))


def _go_on(state: State, rules: Rules, w: int, attempt: Attempt) -> Steps:
    must_check = rules.checks_epoch and not attempt.checked
    if not attempt.staged and (rules.stages_before_check or not must_check):
        yield from _stage(state, rules, w, attempt)
    elif must_check:
        yield from _check(state, rules, w, attempt)
    else:
        yield from _commit(state, rules, w, attempt)


def _stage(state: State, rules: Rules, w: int, attempt: Attempt) -> Steps:
    worker, kafka, id_ = state.workers[w], state.kafka, rules.id_of(w)
    if rules.kafka_refuses_strangers and not worker.member:
        yield Step.REFUSED, w, state.put(w, _end(worker, rules))._replace(kafka=kafka.abort(id_))
        return
    pending = put(kafka.pending, id_, Progress(attempt.offset, attempt.seq))
    staged = state.put(w, worker._replace(attempt=attempt._replace(staged=True)))
    yield Step.STAGE, w, staged._replace(kafka=kafka._replace(pending=pending))


def _check(state: State, rules: Rules, w: int, attempt: Attempt) -> Steps:
    worker = state.workers[w]
    if attempt.current:
        yield Step.CHECK, w, state.put(w, worker._replace(attempt=attempt._replace(checked=True)))
        return
    dropped = _end(worker, rules)
    if attempt.mine:
        dropped = dropped._replace(lane=None)
    yield Step.LOST, w, state.put(w, dropped)._replace(kafka=state.kafka.abort(rules.id_of(w)))


def _commit(state: State, rules: Rules, w: int, attempt: Attempt) -> Steps:
    worker, id_ = state.workers[w], rules.id_of(w)
    state = state._replace(kafka=state.kafka.commit(id_))
    done = worker._replace(attempt=None, may_prune=attempt.seq)
    if attempt.mine and worker.lane is not None:
        done = done._replace(lane=worker.lane._replace(committed=attempt.offset, announced=attempt.seq))
    yield Step.COMMIT, w, state.put(w, done)
    if state.left:
        kafka = state.kafka._replace(producers=put(state.kafka.producers, id_, None))
        yield Step.LOSE_END, w, state.put(w, _end(worker, rules))._replace(kafka=kafka, left=state.left - 1)


def _end(worker: Worker, rules: Rules) -> Worker:
    """A transaction failed, or nobody knows: how far its lane is announced is to be fetched again."""
    lane = worker.lane
    if lane is not None and worker.attempt is not None and worker.attempt.mine and rules.rereads_progress:
        lane = lane._replace(announced=None)
    return worker._replace(attempt=None, lane=lane)
