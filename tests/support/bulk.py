"""Much at once: a long backlog of small events, one huge event, and the memory that a worker takes for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import orjson
from confluent_kafka import Producer

from bench.worker import resident_mib
from consumer.contracts.cloudevents import CONTENT_TYPE, STRUCTURED_JSON
from consumer.contracts.events import CommitData, CommitsPushed
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.product import Product, Worker

_ORGANIZATIONS = 50
_STRUCTURED: list[tuple[str, str | bytes | None]] = [(CONTENT_TYPE, STRUCTURED_JSON)]
_NUMBER = b"0123456789"
"""Stands in the template wherever the number of an event comes."""
_MORE_SECONDS = 1.0
_PAUSE_SECONDS = 0.02


def publish_small_events(product: Product, count: int) -> None:
    """Send events of one commit, each of a release of its own; on return Kafka has all."""
    template = orjson.dumps(as_cloudevent(_small_event(_NUMBER.decode())))

    def records() -> Iterator[tuple[bytes, bytes]]:
        for number in range(count):
            name = b"%010d" % number
            organization = b"organization-%d" % (number % _ORGANIZATIONS)
            yield name, template.replace(_NUMBER, name).replace(b"organization-x", organization)

    _send(product, records())


def publish_huge_event(product: Product, mebibytes: float, commits: int = 4_000) -> None:
    """Send a push of many commits whose patch sets make it so large."""
    _send(product, [(b"huge", _huge_event(mebibytes, commits))])


def _send(product: Product, records: Iterable[tuple[bytes, bytes]]) -> None:
    settings = product.settings
    producer = Producer(
        {
            **settings.kafka_client(settings.kafka_bootstrap_servers or ""),
            "partitioner": "murmur2_random",
            "compression.type": "zstd",
            "linger.ms": 50,
            "message.max.bytes": settings.max_event_bytes,
        }
    )
    for key, value in records:
        while True:
            try:
                producer.produce(settings.topics.release_events, value, key, headers=_STRUCTURED)
                break
            except BufferError:
                producer.poll(_MORE_SECONDS)
        producer.poll(0)
    assert producer.flush() == 0


def _small_event(number: str) -> CommitsPushed:
    commit = CommitData(
        id=f"{number}{'a' * 30}",
        message=f"mend what was broken in {number}",
        author_name="Ada",
        author_email="ada@example.com",
        repository="acme/web",
    )
    return CommitsPushed(
        id=number, source="/bulk", organization="organization-x", version=f"web@{number}", commits=[commit]
    )


def _huge_event(mebibytes: float, commits: int) -> bytes:
    files = int(mebibytes * 1024 * 1024 / commits / 110)
    event = CommitsPushed(
        id="huge",
        source="/bulk",
        organization="huge",
        version="web@1",
        commits=[
            CommitData(
                id=f"{commit:040x}",
                message=f"change {commit}",
                author_name=f"Author {commit % 40}",
                author_email=f"{commit % 40}@example.com",
                patch_set=[(f"src/{'folder/' * 8}{commit}/{file:06d}.py", "M") for file in range(files)],
            )
            for commit in range(commits)
        ],
    )
    return orjson.dumps(as_cloudevent(event))


def peak_until_announced(product: Product, worker: Worker, seconds: float) -> float:
    """Wait until all is announced; returns the most memory that the worker had resident, in MiB."""
    ends, deadline = product.ends(), time.monotonic() + seconds
    while True:
        assert worker.is_running, worker.words
        committed = product.committed()
        if all(committed.get(partition, (0, ""))[0] >= end for partition, end in ends.items()):
            return resident_mib(worker.pid)
        assert time.monotonic() < deadline, f"not in {seconds:g} s\n{worker.words}"
        time.sleep(_PAUSE_SECONDS)
