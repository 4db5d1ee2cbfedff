"""Where two JSON documents differ: short enough to be read in the failure of a test."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MISSING = "missing"


def differences(actual: Any, expected: Any, path: str = "$") -> Iterator[str]:
    """Give a line per place, ``path: actual != expected``."""
    if isinstance(actual, dict) and isinstance(expected, dict):
        for name in sorted(actual.keys() | expected.keys()):
            yield from differences(actual.get(name, _MISSING), expected.get(name, _MISSING), f"{path}.{name}")
    elif isinstance(actual, list) and isinstance(expected, list):
        for index, (one, other) in enumerate(zip_longest(actual, expected, fillvalue=_MISSING)):
            yield from differences(one, other, f"{path}[{index}]")
    elif actual != expected:
        yield f"{path}: {actual!r} != {expected!r}"
