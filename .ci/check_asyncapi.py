"""Check schemas/asyncapi.yaml by the official JSON Schema of AsyncAPI 3.0.0, and that its references lead somewhere.

Usage: check_asyncapi.py DOCUMENT. Exits 1 and tells what is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

_OFFICIAL = Path(__file__).parent / "asyncapi" / "3.0.0.json"


def faults(document: Any, folder: Path) -> list[str]:
    """What is wrong with a document.

    Args:
        document: the AsyncAPI document.
        folder: where it lies; its references to files start there.
    """
    validator = jsonschema_rs.Draft7Validator(json.loads(_OFFICIAL.read_bytes()), validate_formats=True)
    broken = [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(document)
    ]
    return [
        *broken,
        *(f"{target} leads nowhere" for target in _references(document) if not _leads(target, document, folder)),
    ]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for child in value:
            yield from _references(child)
    elif isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for child in value.values():
            yield from _references(child)


def _leads(target: str, document: Any, folder: Path) -> bool:
    file, _, pointer = target.partition("#")
    if file:
        return (folder / file).is_file()
    for name in pointer.split("/")[1:]:
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True


def main(path: str) -> int:
    """Check; return the exit code."""
    file = Path(path)
    found = faults(yaml.safe_load(file.read_text()), file.parent)
    for fault in found:
        print(f"{file}: {fault}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
