"""A state of the model: two workers, one partition, the coordinator's view, PostgreSQL and Kafka.

Epochs are kept as ``current``: whether it is still the one in PostgreSQL. They are only ever compared for that, they
only rise, and so the states stay finite, however often a partition is taken over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.protocol.words import Step

T = TypeVar("T")

EVENTS = 2
VISIBLE = -1
"""Writer of a log entry whose transaction is committed."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol and the world it runs in; the defaults are the protocol as it is built.

    The first group are safeguards, to be taken away one at a time. The second is the world.
    """

    checks_epoch: bool = True
    stages_before_check: bool = True
    raises_before_fetch: bool = True
    fetches_stable: bool = True
    compares_epoch: bool = True
    compares_offset: bool = True
    rereads_progress: bool = True
    ties_answer_to_claim: bool = True
    prunes_only_committed: bool = True
    remembers_ids: bool = True
    replay_raises_epoch: bool = True

    operator_replays: bool = False
    kafka_refuses_strangers: bool = True
    workers_share_a_name: bool = False

    def id_of(self, w: int) -> int:
        """The transactional id of a worker."""
        return 0 if self.workers_share_a_name else w


class Progress(NamedTuple):
    """Kafka's committed offset of the group, and the number in its metadata."""

    offset: int
    seq: int


NOTHING = Progress(-1, -1)


class Claim(NamedTuple):
    """The partition as a worker took it over, and the next offset that it will apply."""

    current: bool
    position: int


class Lane(NamedTuple):
    """What the announcer knows of its claim: how far it is applied, and how far announced (``None``: to be fetched)."""

    offset: int
    seq: int
    committed: int | None = None
    announced: int | None = None

    @property
    def settled(self) -> bool:
        return self.committed == self.offset and self.announced == self.seq


class Batch(NamedTuple):
    """A batch that PostgreSQL has committed and whose answer is under way, or lost. ``mine``: of the present claim."""

    expected: int
    seq: int
    current: bool
    mine: bool = True
    lost: bool = False


class Attempt(NamedTuple):
    """A Kafka transaction as its worker sees it. ``mine``: of the present lane."""

    offset: int
    seq: int
    current: bool
    mine: bool = True
    staged: bool = False
    checked: bool = False


class Worker(NamedTuple):
    """A process: a member in the eyes of the group or not, and what it believes itself."""

    member: bool = False
    holds: bool = False
    claim: Claim | None = None
    lane: Lane | None = None
    batch: Batch | None = None
    attempt: Attempt | None = None
    may_prune: int = 0
    fetched_early: Progress | None = None

    def let_go(self) -> Worker:
        """Forget the partition; what is on its way to PostgreSQL or Kafka stays on its way."""
        batch = self.batch and self.batch._replace(mine=False)
        attempt = self.attempt and self.attempt._replace(mine=False)
        return self._replace(claim=None, lane=None, batch=batch, attempt=attempt, fetched_early=None)


class Database(NamedTuple):
    """The row of the partition, how often each event took effect, and the outbox: events by number, and how many are
    pruned."""

    next_offset: int = 0
    applied: tuple[int, ...] = (0,) * EVENTS
    outbox: tuple[int, ...] = ()
    pruned: int = 0


class Kafka(NamedTuple):
    """The committed offset, the log of announcements as (number, writer), and, by transactional id, the producer that
    is not fenced and the offsets that wait for their transaction."""

    committed: Progress = NOTHING
    log: tuple[tuple[int, int], ...] = ()
    producers: tuple[int | None, ...] = (None, None)
    pending: tuple[Progress | None, ...] = (None, None)

    def is_open(self, id_: int) -> bool:
        return self.pending[id_] is not None or any(writer == id_ for _, writer in self.log)

    def abort(self, id_: int) -> Kafka:
        log = tuple(entry for entry in self.log if entry[1] != id_)
        return self._replace(log=log, pending=put(self.pending, id_, None))

    def commit(self, id_: int) -> Kafka:
        log = tuple((seq, VISIBLE if writer == id_ else writer) for seq, writer in self.log)
        committed = self.pending[id_] or self.committed
        return self._replace(committed=committed, log=log, pending=put(self.pending, id_, None))

    def mirrored(self, rules: Rules) -> Kafka:
        producers = tuple(None if w is None else 1 - w for w in self.producers)
        if rules.workers_share_a_name:
            return self._replace(producers=producers)
        log = tuple((seq, writer if writer == VISIBLE else 1 - writer) for seq, writer in self.log)
        return self._replace(log=log, producers=producers[::-1], pending=self.pending[::-1])


class State(NamedTuple):
    """Everything; ``owner`` is whom the coordinator gave the partition, ``left`` how many disturbances may come."""

    left: int
    owner: int | None = 0
    workers: tuple[Worker, ...] = (Worker(member=True, holds=True), Worker(member=True))
    database: Database = Database()
    kafka: Kafka = Kafka()

    def put(self, w: int, worker: Worker) -> State:
        return self._replace(workers=put(self.workers, w, worker))

    def mirrored(self, rules: Rules) -> State:
        """The same with the names of the workers exchanged."""
        a, b = self.workers
        owner = None if self.owner is None else 1 - self.owner
        return self._replace(owner=owner, workers=(b, a), kafka=self.kafka.mirrored(rules))

    def raise_epoch(self) -> State:
        """Nobody's epoch is the one in PostgreSQL any more."""
        return self._replace(workers=tuple(map(_outdate, self.workers)))


if TYPE_CHECKING:
    Steps = Iterator[tuple[Step, int, State]]
    """What may happen next: the step, who does it, and what comes of it."""


def put(items: tuple[T, ...], index: int, item: T) -> tuple[T, ...]:
    """The same with another item there."""
    return (*items[:index], item, *items[index + 1 :])


def _outdate(worker: Worker) -> Worker:
    return worker._replace(
        claim=worker.claim and worker.claim._replace(current=False),
        batch=worker.batch and worker.batch._replace(current=False),
        attempt=worker.attempt and worker.attempt._replace(current=False),
    )
