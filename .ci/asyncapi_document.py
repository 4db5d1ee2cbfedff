"""schemas/asyncapi.yaml: the topics and what goes through them, in AsyncAPI 3.0, made from the schemas."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from event_pages import key_of, topic_of

from consumer.contracts.schemas import COMMON, SUFFIX, event_types, load_announcements, load_schemas, schema_folder
from consumer.settings import Settings

if TYPE_CHECKING:
    from schema_words import Schema

Document = dict[str, Any]

_ROOT = Path(__file__).parents[1]
_MADE = "# Made by `make docs` from the schemas beside it; change those instead.\n"
_FORMAT = "application/schema+json;version=draft-2020-12"
_BINDING = "0.5.0"
_PARTITIONER = "Producers choose the partition by murmur2 of the record key, as Java's client does by default."
_KEYS_OF_ACTIVITIES = {
    "release": "organization:version",
    "group": "organization:SHORT-ID",
    "organization": "organization",
}


def asyncapi_text() -> str:
    """The file."""
    return _MADE + yaml.dump(asyncapi_document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def asyncapi_document() -> Document:
    """The document."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    inputs = {type_: load_schemas()[type_ + SUFFIX] for type_ in event_types()}
    outputs = {name.removesuffix(SUFFIX): schema for name, schema in load_announcements().items() if name != COMMON}
    messages = {
        **{type_: _input(type_, schema) for type_, schema in inputs.items()},
        **{type_: _output(type_, schema) for type_, schema in outputs.items()},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": project["name"],
            "version": project["version"],
            "description": project["description"] + ".",
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "releaseEvents": _channel(
                "release-events",
                f"Events about releases, in order per version key. {_PARTITIONER}",
                [type_ for type_, schema in inputs.items() if topic_of(schema) == "release-events"],
            ),
            "catalogEvents": _channel(
                "catalog-events",
                "Events about organizations, projects, groups and pull requests, in order per organization."
                f" {_PARTITIONER}",
                [type_ for type_, schema in inputs.items() if topic_of(schema) == "catalog-events"],
                partitions="catalog_partitions",
            ),
            "activity": _channel(
                "activity", "What happened, each fact once.", [type_ for type_ in outputs if type_ != "dead-letter"]
            ),
            "deadLetters": _channel("dead-letters", "Events that could not be applied, with why.", ["dead-letter"]),
        },
        "operations": {
            "applyReleaseEvents": _operation("receive", "releaseEvents", "Apply release events, each exactly once."),
            "applyCatalogEvents": _operation("receive", "catalogEvents", "Apply catalog events, each exactly once."),
            "announceActivity": _operation("send", "activity", "Announce what happened, in a transaction of Kafka."),
            "announceDeadLetters": _operation("send", "deadLetters", "Announce what could not be applied."),
        },
        "components": {"messages": messages},
    }


def _channel(topic: str, description: str, types: list[str], partitions: str = "topic_partitions") -> Document:
    return {
        "address": topic,
        "description": f"{description} The name of the topic is a setting.",
        "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in types},
        "bindings": {
            "kafka": {
                "topic": topic,
                "partitions": Settings.model_fields[partitions].default,
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(action: str, channel: str, summary: str) -> Document:
    operation: Document = {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}
    if action == "receive":
        group = {"type": "string", "default": Settings.model_fields["group_id"].default}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return operation


def _input(type_: str, schema: Schema) -> Document:
    example = json.loads((schema_folder() / "examples" / type_ / "valid" / "full.json").read_bytes())
    message = _message(type_, schema, f"{type_}{SUFFIX}", key_of(schema))
    return {**message, "examples": [{"name": "full", "payload": example}]}


def _output(type_: str, schema: Schema) -> Document:
    about = type_.split(".")[1] if "." in type_ else ""
    key = _KEYS_OF_ACTIVITIES.get(about, "the record key of the event at fault")
    return _message(type_, schema, f"announcements/{type_}{SUFFIX}", key)


def _message(type_: str, schema: Schema, file: str, key: str) -> Document:
    return {
        "name": type_,
        "title": schema["title"],
        "summary": schema["description"],
        "contentType": "application/cloudevents+json",
        "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": f"./{file}"}},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
    }


class _Plain(yaml.SafeDumper):
    """Writes values that occur twice in full."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # the signature is the base class's
        return True
