"""The pages of docs/events: one per event that comes in, one about what goes out, made from the schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from schema_words import Words

from consumer.contracts.schemas import COMMON, SUFFIX, event_types, load_announcements, load_schemas, schema_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema_words import Schema

_MADE = "<!-- Made by `make docs` from schemas/; change the schema instead. -->"


def pages() -> dict[str, str]:
    """The pages by file name."""
    made = {f"{type_}.md": _text(_page(type_)) for type_ in event_types()}
    return {"README.md": _text(_index()), **made, "announcements.md": _text(_announcements())}


def topic_of(schema: Schema) -> str:
    """The topic of an event that comes in, as it is named by default: release events have a version."""
    return "release-events" if "version" in schema["properties"]["data"]["required"] else "catalog-events"


def key_of(schema: Schema) -> str:
    """The record key of an event that comes in, in words."""
    return "organization:version" if topic_of(schema) == "release-events" else "organization"


def _index() -> Iterator[str]:
    yield from ("# Events", "", _MADE, "", "Events that come in:", "")
    yield from ("| type | topic | record key | what |", "|---|---|---|---|")
    for type_ in event_types():
        schema = load_schemas()[type_ + SUFFIX]
        what = schema["description"]
        yield f"| [`{type_}`]({type_}.md) | `{topic_of(schema)}` | `{key_of(schema)}` | {what} |"
    yield from ("", "What goes out, activities and dead letters: [announcements](announcements.md).")
    yield "All of it for machines: [`asyncapi.yaml`](../../schemas/asyncapi.yaml)."


def _page(type_: str) -> Iterator[str]:
    schema = load_schemas()[type_ + SUFFIX]
    words = Words(load_schemas()[COMMON])
    attributes = load_schemas()[COMMON]["$defs"]["cloudevent"]
    data = schema["properties"]["data"]
    example = json.loads((schema_folder() / "examples" / type_ / "valid" / "full.json").read_bytes())
    reasons = {**attributes["x-reasons"], **schema.get("x-reasons", {})}
    # It is what an event of another type becomes.
    del reasons["unknown-type"]
    yield from (f"# `{type_}`", "", _MADE, "", schema["description"], "")
    yield from ("| topic | record key | schema |", "|---|---|---|")
    file = f"{type_}{SUFFIX}"
    yield f"| `{topic_of(schema)}` | `{key_of(schema)}` | [`{file}`](../../schemas/{file}) |"
    yield from ("", "## Fields of `data`", "", "Unknown fields are ignored.", "")
    yield from words.table(data)
    yield from words.sections(data)
    yield from ("", "## Attributes", "", attributes["description"], "")
    yield from words.table(attributes)
    yield from ("", "## Example", "", "```json", *json.dumps(example, indent=2, ensure_ascii=False).split("\n"), "```")
    yield from ("", "## Why it may become a dead letter", "", "| reason | when |", "|---|---|")
    yield from (f"| `{reason}` | {when} |" for reason, when in reasons.items())


def _announcements() -> Iterator[str]:
    schemas = load_announcements()
    words = Words(schemas[COMMON])
    attributes = schemas[COMMON]["$defs"]["activity"]
    kinds = {name.removesuffix(SUFFIX): schema for name, schema in schemas.items() if name != COMMON}
    yield from ("# Announcements", "", _MADE, "", "Activities go out on the topic `activity`; their record key is")
    yield "`organization:version`, `organization:SHORT-ID` for a group, `organization` for an organization."
    yield "Dead letters go out on the topic `dead-letters` under the record key of the event at fault."
    yield from ("", "## Attributes of an activity", "", attributes["description"], "")
    yield from words.table(attributes)
    for type_, schema in kinds.items():
        yield from ("", f"## `{type_}`", "", schema["description"], "")
        yield from words.table(schema["properties"]["data"])
    yield from ("", "## What they are made of")
    yield from words.sections(*(schema["properties"]["data"] for schema in kinds.values()))


def _text(lines: Iterator[str]) -> str:
    return "\n".join(lines) + "\n"
