"""Comparing parts: an expectation names only what matters, and a difference says where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class NotThere:
    """Type of ``NOT_THERE``: the key must be absent, not merely ``null``."""

    def __repr__(self) -> str:
        return "NOT_THERE"


NOT_THERE = NotThere()


@dataclass(frozen=True, slots=True)
class AnyOrder:
    """A list whose order means nothing."""

    items: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Exactly:
    """An object that has these keys and no others."""

    items: dict[str, Any]


def exactly(**items: Any) -> Exactly:
    """Expect an object of these keys and no others."""
    return Exactly(items)


def any_order(*items: Any) -> AnyOrder:
    """Expect these items and no others, in any order."""
    return AnyOrder(items)


def differences(expected: Any, actual: Any, path: str = "$") -> list[str]:
    """Tell where ``actual`` differs: objects may have more keys, lists must have the same length."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            difference
            for key, value in expected.items()
            for difference in differences(value, actual.get(key, NOT_THERE), f"{path}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return [
            difference
            for index, (wanted, found) in enumerate(zip(expected, actual, strict=True))
            for difference in differences(wanted, found, f"{path}[{index}]")
        ]
    if isinstance(expected, Exactly) and isinstance(actual, dict):
        return differences(expected.items | dict.fromkeys(actual.keys() - expected.items, NOT_THERE), actual, path)
    if isinstance(expected, AnyOrder) and isinstance(actual, list):
        return _differences_in_any_order(expected, actual, path)
    return [] if expected == actual else [f"{path}: expected {expected!r}, found {actual!r}"]


def _differences_in_any_order(expected: AnyOrder, actual: list[Any], path: str) -> list[str]:
    left = list(actual)
    missing = []
    for wanted in expected.items:
        match = next((found for found in left if not differences(wanted, found)), NOT_THERE)
        if match is NOT_THERE:
            missing.append(f"{path}: expected {wanted!r} in {actual!r}")
        else:
            left.remove(match)
    return missing + [f"{path}: unexpected {found!r}" for found in left]


def renamed(value: Any, old: str, new: str) -> Any:
    """Return the value with a string replaced wherever it stands alone."""
    if isinstance(value, dict):
        return {key: renamed(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, old, new) for item in value]
    return new if value == old else value
