"""Semantic versions of releases: ``package@1.2.3.4-rc.1+5``, parsed into columns as Sentry does.

The grammar is that of Sentry's release parser, which no library of the field has: up to four numbers, a package
before ``@``, and a version without a package is no semantic version. One difference: a number beyond 64 bits is no
number, where Sentry's parser reads it as 0.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SEMVER_COLUMNS = "package, major, minor, patch, revision, prerelease, build_code, build_number"

_HIGHEST = 2**63 - 1

_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"

# White space around a release does not matter; control characters make one that Sentry's parser refuses as a whole.
_SPACE = r"[^\S\x1c-\x1f]*"

_RELEASE = re.compile(
    rf"""
    {_SPACE}
    (?P<package>@?[^@\x00-\x1f\x7f]+)@
    (?P<number>
        (?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?(?:\.(?P<revision>[0-9]+))?
        (?P<prerelease>(?:-|[a-z]){_IDENTIFIER}?(?:\.{_IDENTIFIER})*)?
        (?:\+(?P<build>[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?
    )
    {_SPACE}
    """,
    re.VERBOSE,
)

# What is as long as a hash and has only hexadecimal digits is the hash of a build, even where all are decimal.
_HASH_LENGTHS = (12, 16, 20, 32, 40, 64)


class ReleaseVersion(NamedTuple):
    """A parsed version, in the order of ``SEMVER_COLUMNS``; all ``None`` where it is no semantic version.

    ``prerelease`` is ``""`` for a version without one; ``build_number`` is the build where it is a number.
    """

    package: str | None = None
    major: int | None = None
    minor: int | None = None
    patch: int | None = None
    revision: int | None = None
    prerelease: str | None = None
    build_code: str | None = None
    build_number: int | None = None


def parse_release_version(version: str) -> ReleaseVersion:
    """Parse the version of a release.

    Args:
        version: as events name it; white space around it does not matter.
    """
    match = _RELEASE.fullmatch(version)
    if match is None or _is_hash(match["number"]) or _is_bare(match):
        return ReleaseVersion()
    major, minor, patch, revision = (int(match[name] or 0) for name in ("major", "minor", "patch", "revision"))
    if max(major, minor, patch, revision) > _HIGHEST:
        return ReleaseVersion()
    prerelease = (match["prerelease"] or "").removeprefix("-")
    build = match["build"]
    number = int(build) if build is not None and build.isdigit() and int(build) <= _HIGHEST else None
    return ReleaseVersion(match["package"], major, minor, patch, revision, prerelease, build, number)


def _is_hash(number: str) -> bool:
    return len(number) in _HASH_LENGTHS and number.isdigit()


def _is_bare(match: re.Match[str]) -> bool:
    """A single number needs the dash before its prerelease: ``1-a1`` and ``1.0a1`` are versions, ``1a1`` is none."""
    return match["minor"] is None and (match["prerelease"] or "-")[0] != "-"
