"""Layouts of snowflake ids: how version, time, source, region and sequence share 53 bits (SEMANTICS section 9)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

EPOCH = 1_659_916_800
"""2022-08-08 00:00 UTC as Unix seconds: second 0 of every id."""


class Source(IntEnum):
    """Who gave the sequence value of an id; the two never give the same id."""

    REDIS = 0
    FALLBACK = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an id.

    Args:
        name: what people call it in an error.
        bits: its length, at least 1.

    Raises:
        ValueError: the length is not positive.
    """

    name: str
    bits: int

    def __post_init__(self) -> None:
        if self.bits <= 0:
            msg = "The length should be a positive number"
            raise ValueError(msg)

    @property
    def capacity(self) -> int:
        """How many values fit."""
        return 1 << self.bits

    def validate(self, value: int) -> None:
        """Check that a value fits.

        Raises:
            ValueError: it is negative or needs more bits.
        """
        if not 0 <= value < self.capacity:
            msg = f"{self.name} exceed max bit value of {self.bits}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The segments of an id, most significant first: version, seconds, (source,) region, sequence.

    Args:
        name: the value of the setting ``snowflake_layout``; part of the Redis key.
        version_id: number of the layout; stored with its bits reversed, so that new versions grow from the top bit.
        source: the segment that tells the sources apart; ``None``: the fallback has the highest region to itself.

    Raises:
        ValueError: the version does not fit its segment.
    """

    name: str
    version_id: int
    version: Segment
    seconds: Segment
    source: Segment | None
    region: Segment
    sequence: Segment

    def __post_init__(self) -> None:
        self.version.validate(self.version_id)

    @property
    def fallback_region(self) -> int | None:
        """The region that only the fallback may use, where the layout has no segment for the source."""
        return self.region.capacity - 1 if self.source is None else None

    def validate_region(self, region: int) -> None:
        """Check a configured region.

        Raises:
            ValueError: it does not fit the layout, or is reserved for the fallback.
        """
        self.region.validate(region)
        if region == self.fallback_region:
            msg = f"{self.region.name} {region} is reserved for ids made without Redis"
            raise ValueError(msg)

    def compose(self, *, seconds: int, region: int, sequence: int, source: Source = Source.REDIS) -> int:
        """Make an id.

        Args:
            seconds: whole seconds since ``EPOCH``.
            region: number of the configured region.
            sequence: position within the second, region and source.
            source: who gave the sequence value.

        Raises:
            ValueError: a value does not fit its segment.
        """
        if self.source is None and source is Source.FALLBACK:
            region = self.region.capacity - 1
        parts = [(self.version, _reversed_bits(self.version_id, self.version.bits)), (self.seconds, seconds)]
        if self.source is not None:
            parts.append((self.source, source))
        parts += [(self.region, region), (self.sequence, sequence)]
        snowflake_id = 0
        for segment, value in parts:
            segment.validate(value)
            snowflake_id = snowflake_id << segment.bits | value
        return snowflake_id


def _reversed_bits(value: int, bits: int) -> int:
    return int(f"{value:0{bits}b}"[::-1], 2)


UPSTREAM = Layout(
    name="upstream",
    version_id=1,
    version=Segment("Version ID", 5),
    seconds=Segment("Time difference", 32),
    source=None,
    region=Segment("Region ID", 12),
    sequence=Segment("Region sequence", 4),
)
"""Sentry's layout: 16 ids a second, all from 4503599627370496 on."""

WIDE = Layout(
    name="wide",
    version_id=2,
    version=Segment("Version ID", 2),
    seconds=Segment("Time difference", 31),
    source=Segment("Source", 1),
    region=Segment("Region ID", 2),
    sequence=Segment("Region sequence", 17),
)
"""131,072 ids a second; all below 4503599627370496, so none is ever one of ``UPSTREAM``."""

LAYOUTS = {layout.name: layout for layout in (WIDE, UPSTREAM)}
"""Layouts by the values of the setting ``snowflake_layout``."""
