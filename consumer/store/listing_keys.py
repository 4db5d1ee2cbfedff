"""What listings find and sort versions by: texts that compare byte by byte, made when a release gets a project."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.store.semver import ReleaseVersion

ABOVE_ALL = "~"
"""A text above every precedence."""

JUST_ABOVE = "\x01"
"""Behind a precedence, it makes the next text that could be one: they have no control characters."""

# Numbers of one length compare as texts, so the length goes first: "a" for one digit, and so on.
_LENGTHS = " abcdefghijklmnopqrs"

_MOST_DIGITS = 19  # of a number of a semantic version, which has 63 bits
_NUMBERS = 4

# Numbers that are complete, and one that may go on.
_START_OF_NUMBERS = re.compile(r"(?P<complete>(?:[0-9]+\.)*)(?P<last>[0-9]*)")

_FIRST_SURROGATE, _AFTER_SURROGATES, _LAST_CODE = 0xD800, 0xE000, 0x10FFFF


Ranges = list[tuple[str, str, str]]
"""Parts of the index of stems. Of each: the stem, the first precedence, and the first after it."""


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
    stage = " ".join(map(_identifier, version.prerelease.split("."))) if version.prerelease else "~"
    return "".join(_number(str(number)) for number in numbers) + stage


def ranges(start: str) -> Ranges | None:
    """Where semantic versions are that start like this and say more of their numbers than nothing.

    The index of stems has them by stem, then by precedence. The stem is the folded version up to its numbers, with
    one more ``@`` where any of these begins with a zero that it does not need, as in ``web@2024.01``; of what is no
    semantic version it is the whole. A version of any other stem starts like this if its stem does.

    The ranges do not overlap. They may have some other versions too.

    Args:
        start: of a folded version.

    Returns:
        The ranges; ``None`` where the start says more than numbers: precedence does not tell builds apart.
    """
    package, at, numbers = start.rpartition("@")
    if not at or not numbers:
        return []
    match = _START_OF_NUMBERS.fullmatch(numbers)
    if match is None:
        return None
    complete, last, stem = match["complete"].split(".")[:-1], match["last"], package + at
    return [
        *((stem, low, high) for low, high in _precedences(complete, last, padded=False)),
        *((stem + "@", low, high) for low, high in _precedences(complete, last, padded=True)),
    ]


def _precedences(complete: list[str], last: str, *, padded: bool) -> list[tuple[str, str]]:
    """Ranges of the precedences of versions whose numbers start like this.

    ``1.2`` is the start of ``1.2``, ``1.20`` to ``1.29``, ``1.200`` to ``1.299``, and so on.

    Args:
        complete: numbers that do not go on.
        last: the start of one that may.
        padded: of versions with a number that begins with a zero that it does not need; else of the others.
    """
    numbers = [_digits(number) for number in complete]
    if len(numbers) >= _NUMBERS or max(map(len, [*numbers, _digits(last)])) > _MOST_DIGITS:
        return []
    start = "".join(map(_number, numbers))
    if not last or (padded and last[0] == "0"):
        starts = [start]
    elif last[0] == "0":
        starts = [start + _number("0")] if last == "0" else []
    else:
        starts = [f"{start}{_LENGTHS[length]}{last}" for length in range(len(last), _MOST_DIGITS + 1)]
    return [(each, above_start(each) or ABOVE_ALL) for each in starts]


def _digits(number: str) -> str:
    return number.lstrip("0") or "0"


def _number(digits: str) -> str:
    return f"{_LENGTHS[len(digits)]}{digits}"


def _identifier(identifier: str) -> str:
    return f"!{len(identifier):03}{identifier}" if identifier.isdigit() else identifier
