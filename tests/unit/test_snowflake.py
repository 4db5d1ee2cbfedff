"""Layouts of ids, the retry on a collision, and the breaker, without any server."""

from __future__ import annotations

import psycopg2.errors
import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from consumer.errors import MaxSnowflakeRetryError, SettingsError
from consumer.ids.breaker import CircuitBreaker
from consumer.ids.factory import snowflake_ids
from consumer.ids.layout import UPSTREAM, WIDE, Layout, Segment, Source
from consumer.ids.lock import release_lock_key
from consumer.ids.redis_client import connect_redis
from consumer.ids.snowflake import SnowflakeIds, save_with_snowflake_id
from consumer.settings import Settings
from consumer.store.database import connect
from tests.support.logs import records_of

SMALLEST_UPSTREAM_ID = 4_503_599_627_370_496
NOWHERE = "redis://localhost:1/0"


class CountingIds:
    """Gives 1, 2, 3, ..."""

    def __init__(self) -> None:
        self.last = 0

    def take(self, count: int) -> list[int]:
        first = self.last + 1
        self.last += count
        return list(range(first, self.last + 1))


class Diagnostics:
    def __init__(self, table: str, constraint: str) -> None:
        self.table_name = table
        self.constraint_name = constraint


class UniqueViolation(psycopg2.errors.UniqueViolation):
    """A violation as the server tells it; the one of psycopg2 takes no details from Python."""

    def __init__(self, table: str, constraint: str) -> None:
        super().__init__(constraint)
        self._diagnostics = Diagnostics(table, constraint)

    @property
    def diag(self) -> Diagnostics:  # type: ignore[override]  # the real one cannot be made in Python
        return self._diagnostics


class Saving:
    """Fails with each of these errors in turn, then saves."""

    def __init__(self, *failures: Exception) -> None:
        self.attempts = 0
        self._failures = iter(failures)

    def __call__(self) -> str:
        self.attempts += 1
        for failure in self._failures:
            raise failure
        return "saved"


COLLISION = UniqueViolation("release", "release_pkey")


def test_a_segment_has_a_positive_length() -> None:
    with pytest.raises(ValueError, match=r"^The length should be a positive number$"):
        Segment("Region ID", 0)


@pytest.mark.parametrize("value", [-1, 16])
def test_a_value_fits_its_segment(value: int) -> None:
    with pytest.raises(ValueError, match=r"^Region sequence exceed max bit value of 4$"):
        UPSTREAM.sequence.validate(value)


@pytest.mark.parametrize("layout", [UPSTREAM, WIDE], ids=lambda layout: layout.name)
def test_a_layout_has_53_bits(layout: Layout) -> None:
    segments = [layout.version, layout.seconds, layout.source, layout.region, layout.sequence]
    assert sum(segment.bits for segment in segments if segment) == 53


def test_the_smallest_upstream_id() -> None:
    assert UPSTREAM.compose(seconds=0, region=0, sequence=0) == SMALLEST_UPSTREAM_ID


@pytest.mark.parametrize(("version_id", "reversed_id"), [(1, 16), (2, 8), (3, 24)])
def test_the_bits_of_the_version_are_reversed(version_id: int, reversed_id: int) -> None:
    layout = Layout(
        name="another",
        version_id=version_id,
        version=UPSTREAM.version,
        seconds=UPSTREAM.seconds,
        source=None,
        region=UPSTREAM.region,
        sequence=UPSTREAM.sequence,
    )
    assert layout.compose(seconds=0, region=0, sequence=0) >> 48 == reversed_id


def test_an_upstream_id_holds_its_parts() -> None:
    assert UPSTREAM.compose(seconds=7, region=3, sequence=15) == (16 << 48) + (7 << 16) + (3 << 4) + 15


def test_the_fallback_of_upstream_has_a_region_of_its_own() -> None:
    assert UPSTREAM.compose(seconds=7, region=0, sequence=0, source=Source.FALLBACK) >> 4 & 0xFFF == 4095
    with pytest.raises(ValueError, match="4095 is reserved"):
        UPSTREAM.validate_region(4095)


def test_a_wrong_region_is_a_wrong_setting() -> None:
    settings = Settings(snowflake_layout="upstream", snowflake_region=4095)
    client = connect_redis(NOWHERE, timeout_seconds=1)
    engine = connect("postgresql://localhost:1/none", application_name="test")
    with pytest.raises(SettingsError, match=r"SNOWFLAKE_REGION: .*regions 0 to 4094"):
        snowflake_ids(settings, client, engine)


parts = st.tuples(st.integers(0, 2**31 - 1), st.sampled_from(Source), st.integers(0, 3), st.integers(0, 2**17 - 1))


@given(parts, parts)
def test_wide_ids_are_as_different_and_ordered_as_their_parts(
    one: tuple[int, Source, int, int], other: tuple[int, Source, int, int]
) -> None:
    def wide(seconds: int, source: Source, region: int, sequence: int) -> int:
        return WIDE.compose(seconds=seconds, source=source, region=region, sequence=sequence)

    assert (wide(*one) < wide(*other)) == (one < other)
    assert wide(*one) < SMALLEST_UPSTREAM_ID <= UPSTREAM.compose(seconds=one[0], region=0, sequence=0) < 2**53


@pytest.mark.parametrize("collisions", [0, 1, 4])
def test_save_tries_again_after_a_collision(collisions: int) -> None:
    save = Saving(*[COLLISION] * collisions)
    assert save_with_snowflake_id(save, {"release"}) == "saved"
    assert save.attempts == collisions + 1


def test_save_gives_up_after_five_collisions() -> None:
    save = Saving(*[COLLISION] * 5)
    with pytest.raises(MaxSnowflakeRetryError, match=r"^5 new ids in a row are taken already: release_pkey$"):
        save_with_snowflake_id(save, {"release"})
    assert save.attempts == 5


@pytest.mark.parametrize(
    "error",
    [
        UniqueViolation("release", "release_organization_id_version_key"),
        UniqueViolation("organization_avatar", "organization_avatar_pkey"),
        psycopg2.errors.NotNullViolation(),
    ],
    ids=["another key", "no id of ours", "no key"],
)
def test_any_other_integrity_error_surfaces_at_once(error: Exception) -> None:
    save = Saving(error)
    with pytest.raises(psycopg2.IntegrityError) as caught:
        save_with_snowflake_id(save, {"release"})
    assert caught.value is error
    assert save.attempts == 1


def test_the_breaker_pauses_after_a_failure_and_closes_on_success(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 2.9, 3.0, 3.0, 5.9])
    breaker = CircuitBreaker(pause_seconds=3, clock=lambda: next(times))
    assert not breaker.is_open
    breaker.record_failure(redis.TimeoutError("slow"))
    assert [breaker.is_open, breaker.is_open] == [True, False]
    breaker.record_failure(redis.TimeoutError("slow"))
    assert [breaker.is_open] == [True]
    assert len(records_of(caplog, "consumer.ids")) == 1
    breaker.record_success()
    assert [breaker.is_open] == [False]


def test_while_redis_is_left_alone_the_fallback_gives_all_ids() -> None:
    breaker = CircuitBreaker(clock=lambda: 0.0)
    breaker.record_failure(redis.ConnectionError("down"))
    fallback = CountingIds()
    ids = SnowflakeIds(connect_redis(NOWHERE, timeout_seconds=1), fallback.take, WIDE, 0, breaker)
    assert ids.take(3) == [1, 2, 3]
    assert ids.take(0) == []


def test_the_key_of_a_lock() -> None:
    assert release_lock_key(12, 345) == "releasecommits:12:345"


def test_a_redis_url_that_does_not_parse() -> None:
    with pytest.raises(SettingsError, match="RELEASE_CONSUMER_REDIS_URL"):
        connect_redis("redis://localhost:port/0", timeout_seconds=1)
