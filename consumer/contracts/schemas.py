"""The JSON Schemas of the events: where they are found, and what is read from them besides validation.

The files of ``schemas/`` are the one source of truth for what an event looks like (SEMANTICS sections 2, 3 and 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

Schema = dict[str, Any]

COMMON = "common.schema.json"
SUFFIX = ".schema.json"


def schema_folder() -> Traversable:
    """The folder of the schemas: inside the installed package, else ``schemas/`` of the checkout."""
    packaged = resources.files("consumer.contracts") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "schemas"


@cache
def load_schemas() -> dict[str, Schema]:
    """All schemas by file name, ``common.schema.json`` with the shared parts among them."""
    return _load(schema_folder())


@cache
def load_announcements() -> dict[str, Schema]:
    """The schemas of what goes out, activities and dead letters, by file name, as ``load_schemas`` returns them."""
    return _load(schema_folder() / "announcements")


@cache
def event_types() -> tuple[str, ...]:
    """The types of the events that come in, each with a schema of its own."""
    return tuple(name.removesuffix(SUFFIX) for name in load_schemas() if name != COMMON)


@cache
def activity_types() -> tuple[str, ...]:
    """The types of the activities that go out, each with a schema of its own (SEMANTICS section 7)."""
    names = (name.removesuffix(SUFFIX) for name in load_announcements())
    return tuple(name for name in names if name.startswith("activity."))


@cache
def dead_letter_reasons() -> tuple[str, ...]:
    """Why an event may become a dead letter (``x-reasons``)."""
    return tuple(sorted({reason for node in _nodes(load_schemas()) for reason in node.get("x-reasons", ())}))


@cache
def pattern_messages() -> dict[str, str]:
    """What a person is told where a value does not match a pattern: ``x-message`` beside the ``pattern``."""
    return {node["pattern"]: node["x-message"] for node in _nodes(load_schemas()) if "pattern" in node}


@dataclass(frozen=True, slots=True)
class ListField:
    """A list as a schema describes it.

    Args:
        items: name of its items' definition in ``common``.
        unique: the text by which its items differ (``x-unique``), if they must.
        repeated: what a person is told of a text that comes twice (``x-message``).
    """

    items: str
    unique: str | None = None
    repeated: str = ""


def list_fields(schema: Schema) -> dict[tuple[str, ...], ListField]:
    """The lists inside a value by their path from it."""
    fields: dict[tuple[str, ...], ListField] = {}
    for name, field in schema.get("properties", {}).items():
        if "items" in field:
            items = field["items"]["$ref"].rpartition("/")[2]
            fields[(name,)] = ListField(items, field.get("x-unique"), field.get("x-message", ""))
        fields.update({(name, *path): items for path, items in list_fields(field).items()})
    return fields


def _load(folder: Traversable) -> dict[str, Schema]:
    files = (file for file in folder.iterdir() if file.name.endswith(SUFFIX))
    return {file.name: orjson.loads(file.read_bytes()) for file in sorted(files, key=lambda file: file.name)}


def _nodes(value: Any) -> Iterator[Schema]:
    """Every object inside a schema document, itself included."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from _nodes(child)
    elif isinstance(value, list):
        for child in value:
            yield from _nodes(child)
