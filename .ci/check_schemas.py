"""Check that the schemas break nothing for those who hold on to the last tagged version.

Usage: check_schemas.py [CHECKOUT], by default the one of this script. Exits 1 and tells what breaks; without a tagged
version there is nothing to break.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from schema_changes import broken

Schemas = dict[str, dict[str, Any]]

_SUFFIX = ".schema.json"
_FOLDERS = {"schemas": False, "schemas/announcements": True}
"""Folders of schemas, and whether they are of what goes out."""


def last_version(checkout: Path) -> str | None:
    """The tag of the last version before or at HEAD; ``None``: there is none."""
    found = _git(checkout, "describe", "--tags", "--abbrev=0", "--match=v[0-9]*", "--match=[0-9]*", "HEAD")
    return found.stdout.strip() or None


def tagged(checkout: Path, tag: str, folder: str) -> Schemas:
    """The schemas of a folder as a tag has them, by file name."""
    files = _git(checkout, "ls-tree", "--name-only", "-z", tag, f"{folder}/").stdout.split("\0")
    return {
        Path(file).name: json.loads(_git(checkout, "show", f"{tag}:{file}").stdout)
        for file in files
        if file.endswith(_SUFFIX)
    }


def current(checkout: Path, folder: str) -> Schemas:
    """The schemas of a folder as they are now, by file name."""
    return {file.name: json.loads(file.read_bytes()) for file in (checkout / folder).glob(f"*{_SUFFIX}")}


def main(checkout: Path) -> int:
    """Check; return the exit code."""
    tag = last_version(checkout)
    if tag is None:
        print("schemas: no version is tagged yet, nothing to be compatible with")
        return 0
    found = [
        f"{folder}/{what}"
        for folder, outgoing in _FOLDERS.items()
        for what in broken(tagged(checkout, tag, folder), current(checkout, folder), outgoing=outgoing)
    ]
    for what in found:
        print(f"{what}; that breaks those who hold on to {tag}", file=sys.stderr)
    if not found:
        print(f"schemas: compatible with {tag}")
    return int(bool(found))


def _git(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, check=False)  # noqa: S607  # git is found on the PATH


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]))
