"""Check, offline, that the locked requirements are in step with pyproject.toml.

Usage: check_lock.py PYPROJECT LOCK_OF_ALL LOCK_OF_RUNTIME. Exits 1 and tells what differs.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def canonical(requirement: str) -> str:
    """``Name==version`` without markers, the name spelt as package indexes compare it."""
    name, _, version = requirement.partition(";")[0].strip(" \\").partition("==")
    return re.sub(r"[-_.]+", "-", name).lower() + "==" + version.strip()


def locked(path: str) -> set[str]:
    """What a file of requirements locks."""
    lines = Path(path).read_text().splitlines()
    return {canonical(line) for line in lines if "==" in line and not line.startswith((" ", "#"))}


def main(pyproject: str, lock_of_all: str, lock_of_runtime: str) -> int:
    """Compare; return the exit code."""
    project = tomllib.loads(Path(pyproject).read_text())
    runtime = {*project["build-system"]["requires"], *project["project"]["dependencies"]}
    extras = {one for extra in project["project"]["optional-dependencies"].values() for one in extra}
    late = False
    for path, wanted in ((lock_of_all, runtime | extras), (lock_of_runtime, runtime)):
        for missing in sorted({canonical(one) for one in wanted} - locked(path)):
            print(f"{path} does not lock {missing}, which {pyproject} asks for; run `make lock`", file=sys.stderr)
            late = True
    return int(late)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
