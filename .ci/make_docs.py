"""Make docs/events/ and schemas/asyncapi.yaml from the schemas.

Usage: make_docs.py [--check]. With --check nothing is written: exits 1 and tells which files are not what the schemas
say.
"""

from __future__ import annotations

import sys
from pathlib import Path

from asyncapi_document import asyncapi_text
from event_pages import pages

_ROOT = Path(__file__).parents[1]


def wanted(root: Path) -> dict[Path, str]:
    """All files with what they should hold."""
    folder = root / "docs" / "events"
    return {root / "schemas" / "asyncapi.yaml": asyncapi_text()} | {
        folder / name: text for name, text in pages().items()
    }


def stale(root: Path) -> list[Path]:
    """The files that are missing, differ, or are left over."""
    files = wanted(root)
    left_over = [file for file in (root / "docs" / "events").glob("*") if file not in files]
    return [
        *(file for file, text in files.items() if not file.is_file() or file.read_text() != text),
        *sorted(left_over),
    ]


def write(root: Path) -> None:
    """Make the files, and remove those left over."""
    files = wanted(root)
    (root / "docs" / "events").mkdir(parents=True, exist_ok=True)
    for file in stale(root):
        if file in files:
            file.write_text(files[file])
        else:
            file.unlink()


def main(*arguments: str) -> int:
    """Write, or check; return the exit code."""
    if arguments != ("--check",):
        write(_ROOT)
        return 0
    late = stale(_ROOT)
    for file in late:
        print(f"{file.relative_to(_ROOT)} is not what the schemas say; run `make docs`", file=sys.stderr)
    return int(bool(late))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
