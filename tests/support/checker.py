"""The checker of fault tests: from what was published, kept and announced it tells every broken promise.

It knows nothing of how the product works inside, only what must be true at the end of a run, whatever died in it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
Partition = tuple[str, int]
"""Topic and number."""
Place = tuple[str, int, int]
"""Topic, partition and offset."""


@dataclass(frozen=True, slots=True)
class Input:
    """A record that Kafka has acknowledged; ``digest`` names its event, ``None`` where it holds no valid one."""

    place: Place
    digest: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where the group stands in a partition, in PostgreSQL and in Kafka."""

    stream: str
    first_offset: int
    next_offset: int
    next_seq: int
    applied: int
    duplicate: int
    parked: int
    dead: int
    absent: int
    committed_offset: int | None
    announced_seq: int | None


@dataclass(frozen=True, slots=True)
class Announced:
    """An activity as subscribers see it; one that is ``replayed`` has the number that it had the first time."""

    place: Place
    key: str
    id: str
    stream: str
    sequence: int
    replayed: bool = False


@dataclass(slots=True)
class Observed:
    """All that can be seen of an installation after a run.

    Args:
        inputs: all records of the input topics.
        positions: by input partition.
        processed: digests of the events that count as seen.
        parked: places of the events that still wait.
        dead: places of the records that are dead letters.
        revived: places of those that were dead letters, and were applied after all.
        activities: ids of the activities that are kept, each with the stream that announces it.
        outbox: numbers that each stream still holds.
        announced: the activity topic, as readers of committed data see it.
        announced_dead: places that the dead letter topic tells of.
    """

    inputs: list[Input] = field(default_factory=list)
    positions: dict[Partition, Position] = field(default_factory=dict)
    processed: set[str] = field(default_factory=set)
    parked: list[Place] = field(default_factory=list)
    dead: list[Place] = field(default_factory=list)
    revived: list[Place] = field(default_factory=list)
    activities: list[tuple[str, str]] = field(default_factory=list)
    outbox: dict[str, list[int]] = field(default_factory=dict)
    announced: list[Announced] = field(default_factory=list)
    announced_dead: list[Place] = field(default_factory=list)


def broken_promises(seen: Observed) -> list[str]:
    """Everything that is wrong with a run that has caught up; nothing where all promises are kept."""
    return [
        *_inputs_without_fate(seen),
        *_uneven_books(seen),
        *_unannounced(seen),
        *_wrong_announcements(seen),
        *_wrong_order(seen),
        *_wrong_repetitions(seen),
    ]


def _inputs_without_fate(seen: Observed) -> Iterator[str]:
    dead, parked = set(seen.dead), set(seen.parked)
    for record in seen.inputs:
        topic, number, offset = record.place
        position = seen.positions.get((topic, number))
        if position is None or not position.first_offset <= offset < position.next_offset:
            yield f"lost: {_name(record.place)} was never reached"
        elif record.digest is None and record.place not in dead:
            yield f"lost: {_name(record.place)} holds no valid event, and is no dead letter"
        elif record.digest is not None and not (
            record.digest in seen.processed or record.place in dead or record.place in parked
        ):
            yield f"lost: {_name(record.place)} was passed without effect"


def _uneven_books(seen: Observed) -> Iterator[str]:
    for word, places in (("parked", seen.parked), ("dead", seen.dead)):
        yield from (f"twice: {_name(place)} is {word} {count} times" for place, count in _repeated(places))
    for (topic, number), position in seen.positions.items():
        name = f"{topic}-{number}"
        records = sum(1 for record in seen.inputs if record.place[:2] == (topic, number))
        passed = position.next_offset - position.first_offset
        fates = position.applied + position.duplicate + position.parked + position.dead
        if passed != fates + position.absent:
            yield f"uneven: {name} passed {passed} offsets, and tells the fate of {fates + position.absent}"
        elif fates != records:
            yield f"uneven: {name} holds {records} records, and tells the fate of {fates}"
        for word, told, places in (("parked", position.parked, seen.parked), ("dead", position.dead, seen.dead)):
            kept = sum(1 for place in places if place[:2] == (topic, number))
            if told != kept:
                yield f"uneven: {name} tells of {told} {word} events, and keeps {kept}"


def _unannounced(seen: Observed) -> Iterator[str]:
    for (topic, number), position in seen.positions.items():
        name, last = f"{topic}-{number}", position.next_seq - 1
        if position.committed_offset is None and position.next_offset == position.first_offset:
            continue
        if position.committed_offset != position.next_offset:
            yield f"behind: {name} is at {position.next_offset}, but Kafka has committed {position.committed_offset}"
        if position.announced_seq != last:
            yield f"behind: {name} has numbered {last}, but announced {position.announced_seq}"
        left = seen.outbox.get(position.stream, [])
        if left and left != list(range(left[0], last + 1)):
            yield f"gap: the outbox of {name} holds {_brief(left)} of {last}"


def _wrong_announcements(seen: Observed) -> Iterator[str]:
    first = _first_announced(seen)
    yield from (f"twice: activity {id_} was announced {n} times" for id_, n in _repeated(a.id for a in first))
    yield from (f"twice: activity {id_} is kept {n} times" for id_, n in _repeated(id_ for id_, _ in seen.activities))
    yield from (f"twice: dead letter {_name(p)} was announced {n} times" for p, n in _repeated(seen.announced_dead))
    kept, told = {id_ for id_, _ in seen.activities}, {a.id for a in first}
    yield from (f"lost: activity {id_} was never announced" for id_ in sorted(kept - told))
    yield from (f"invented: activity {id_} was announced, but is not kept" for id_ in sorted(told - kept))
    dead, told_dead = {*seen.dead, *seen.revived}, set(seen.announced_dead)
    yield from (f"lost: dead letter {_name(place)} was never announced" for place in sorted(dead - told_dead))
    yield from (f"invented: dead letter {_name(place)} is not kept" for place in sorted(told_dead - dead))
    yield from _wrong_numbers(seen)


def _wrong_numbers(seen: Observed) -> Iterator[str]:
    """Dead letters and repetitions have numbers that only the outbox knew: so many, and no more, are missing."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for announced in _first_announced(seen):
        numbers[announced.stream].append(announced.sequence)
    again = Counter(announced.stream for announced in seen.announced if announced.replayed)
    known = {position.stream for position in seen.positions.values()}
    yield from (f"invented: stream {stream} is nobody's" for stream in sorted(numbers.keys() - known))
    for partition, position in seen.positions.items():
        name, found = f"{partition[0]}-{partition[1]}", numbers[position.stream]
        yield from (f"twice: {name} announced number {number} {n} times" for number, n in _repeated(found))
        missing = set(range(1, position.next_seq)) - set(found)
        dead = sum(1 for place in (*seen.dead, *seen.revived) if place[:2] == partition)
        if len(missing) != dead + (repeated := again[position.stream]):
            told = f"{dead} are dead letters and {repeated} were said again"
            yield f"gap: {name} never announced {_brief(sorted(missing))}, of which {told}"
        if beyond := sorted(number for number in found if not 1 <= number < position.next_seq):
            yield f"invented: {name} announced {_brief(beyond)}, but has numbered {position.next_seq - 1}"


def _wrong_order(seen: Observed) -> Iterator[str]:
    """What one stream says under one key is read in the order of its numbers."""
    last: dict[tuple[str, str], int] = {}
    homes: dict[str, Partition] = {}
    for announced in sorted(_first_announced(seen), key=lambda a: a.place):
        thread = (announced.key, announced.stream)
        if announced.sequence < last.get(thread, 0):
            yield f"order: {announced.key} was told number {announced.sequence} after {last[thread]}"
        last[thread] = announced.sequence
        if homes.setdefault(announced.key, announced.place[:2]) != announced.place[:2]:
            yield f"order: {announced.key} was announced in two partitions"


def _wrong_repetitions(seen: Observed) -> Iterator[str]:
    """What operators let announce again was announced before, under the same key and number."""
    first = {announced.id: announced for announced in _first_announced(seen)}
    for again in (announced for announced in seen.announced if announced.replayed):
        original = first.get(again.id)
        if original is None:
            yield f"invented: activity {again.id} was announced again, but never before"
        elif (original.key, original.stream, original.sequence) != (again.key, again.stream, again.sequence):
            yield f"invented: activity {again.id} was announced again as something else"
        elif original.place > again.place:
            yield f"order: activity {again.id} was announced again before it was announced"


def _first_announced(seen: Observed) -> list[Announced]:
    """Without what operators let announce again."""
    return [announced for announced in seen.announced if not announced.replayed]


def _repeated(things: Iterable[T]) -> list[tuple[T, int]]:
    return [(thing, count) for thing, count in Counter(things).items() if count > 1]


def _name(place: Place) -> str:
    topic, number, offset = place
    return f"{topic}-{number}@{offset}"


def _brief(numbers: list[int]) -> str:
    most = 10
    return ", ".join(map(str, numbers[:most])) + (", …" if len(numbers) > most else "") if numbers else "nothing"
