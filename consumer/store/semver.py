"""Semantic versions of releases: ``package@1.2.3.4-rc.1+5``, parsed into columns as Sentry does.

The grammar is that of Sentry's release parser, which no library of the field has: up to four numbers, a package
before ``@``, and a version without a package is no semantic version.
"""

from __future__ import annotations

import re
from typing import NamedTuple

SEMVER_COLUMNS = "package, major, minor, patch, revision, prerelease, build_code, build_number"

_HIGHEST = 2**63 - 1

_RELEASE = re.compile(
    r"""
    (?P<package>@?[^@]+)@
    (?P<major>[0-9]+)(?:\.(?P<minor>[0-9]+))?(?:\.(?P<patch>[0-9]+))?(?:\.(?P<revision>[0-9]+))?
    (?:(?:-|(?=[a-zA-Z]))(?P<prerelease>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?
    (?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?
    """,
    re.VERBOSE | re.ASCII,
)


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
        version: as events name it.
    """
    match = _RELEASE.fullmatch(version)
    if match is None:
        return ReleaseVersion()
    major, minor, patch, revision = (int(match[name] or 0) for name in ("major", "minor", "patch", "revision"))
    if max(major, minor, patch, revision) > _HIGHEST:
        return ReleaseVersion()
    build = match["build"]
    number = int(build) if build is not None and build.isdigit() and int(build) <= _HIGHEST else None
    return ReleaseVersion(match["package"], major, minor, patch, revision, match["prerelease"] or "", build, number)
