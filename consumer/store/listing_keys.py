"""What listings find and sort versions by: texts that compare byte by byte, made when a release gets a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.store.semver import ReleaseVersion

ABOVE_ALL = "~"
"""A text above every precedence."""

# Numbers of one length compare as texts, so the length goes first: "a" for one digit, and so on.
_LENGTHS = " abcdefghijklmnopqrs"

_FIRST_SURROGATE, _AFTER_SURROGATES, _LAST_CODE = 0xD800, 0xE000, 0x10FFFF


def folded_version(version: str) -> str:
    """A version, or the start of one, as it is found in any case: the start of a version is the start of its key."""
    return version.casefold()


def above_start(start: str) -> str | None:
    """The least text above all that start with this one; ``None`` where there is none."""
    for length in range(len(start), 0, -1):
        code = ord(start[length - 1])
        if code < _LAST_CODE:
            next_code = _AFTER_SURROGATES if code + 1 == _FIRST_SURROGATE else code + 1
            return start[: length - 1] + chr(next_code)
    return None


def precedence(version: ReleaseVersion) -> str:
    """The precedence of a semantic version; ``""``, the lowest, of what is none.

    A version without a prerelease is above all that have one. Of prereleases, a number is below a word, and what is
    longer above its start: ``.`` becomes the lowest character there is.

    Args:
        version: as parsed; its package and its build do not count.
    """
    if version.major is None:
        return ""
    numbers = (version.major, version.minor, version.patch, version.revision)
    ordered = [f"{_LENGTHS[len(digits)]}{digits}" for digits in map(str, numbers)]
    stage = " ".join(map(_identifier, version.prerelease.split("."))) if version.prerelease else "~"
    return "".join(ordered) + stage


def _identifier(identifier: str) -> str:
    return f"!{len(identifier):03}{identifier}" if identifier.isdigit() else identifier
