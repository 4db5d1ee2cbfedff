"""The schemas by their examples: what the contract accepts, and what it says about what it does not."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import orjson
import pytest

from consumer.contracts import decode, validate
from consumer.contracts.organization_options import DEFAULT_FLAGS, DEFAULT_ROLE, FLAGS, OPTIONS, ROLES, Option
from consumer.contracts.schemas import COMMON, SUFFIX, event_types, load_schemas, pattern_messages, schema_folder
from consumer.errors import InvalidEvent

MAX_BYTES = 1024 * 1024


def examples(kind: str) -> list[Any]:
    return [
        pytest.param(orjson.loads(file.read_bytes()), id=f"{type_}/{file.name}")
        for type_ in event_types()
        for file in (schema_folder() / "examples" / type_ / kind).iterdir()
    ]


def properties(schema: Any) -> list[dict[str, Any]]:
    """The schema of every property at any depth."""
    if isinstance(schema, list):
        return [found for child in schema for found in properties(child)]
    if not isinstance(schema, dict):
        return []
    own = schema.get("properties", {})
    return [*own.values(), *(found for child in schema.values() for found in properties(child))]


@pytest.mark.parametrize("event", examples("valid"))
def test_valid_example_is_accepted(event: dict[str, Any]) -> None:
    assert validate(event) == []

    decoded = decode(orjson.dumps(event), None, max_bytes=MAX_BYTES)

    assert (decoded.type, decoded.id, decoded.source) == (event["type"], event["id"], event["source"])


@pytest.mark.parametrize("example", examples("invalid"))
def test_invalid_example_is_refused_with_every_error_and_its_path(example: dict[str, Any]) -> None:
    expected = {(error["path"], error["message"]) for error in example["errors"]}

    with pytest.raises(InvalidEvent) as refusal:
        decode(orjson.dumps(example["event"]), None, max_bytes=MAX_BYTES)

    assert [(found.path, found.message) for found in validate(example["event"])] == [
        (found.path, found.message) for found in refusal.value.violations
    ]
    assert {(found.path, found.message) for found in refusal.value.violations} == expected
    assert len(refusal.value.violations) == len(expected)
    assert refusal.value.reason == example["reason"]


@pytest.mark.parametrize("name", load_schemas())
def test_schema_is_a_draft_2020_12_schema_that_describes_every_property(name: str) -> None:
    schema = load_schemas()[name]

    assert jsonschema_rs.meta.is_valid(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["$id"] == name
    assert schema["title"]
    assert schema["description"]
    assert all(one["description"] for one in properties(schema))


def test_every_pattern_says_in_words_what_it_wants() -> None:
    assert all(message.startswith("must ") for message in pattern_messages().values())


def test_every_definition_has_title_and_description() -> None:
    assert all(one["title"] and one["description"] for one in load_schemas()[COMMON]["$defs"].values())


def test_every_event_type_has_a_schema_of_its_own() -> None:
    assert set(event_types()) == {name.removesuffix(SUFFIX) for name in load_schemas()} - {COMMON.removesuffix(SUFFIX)}


def test_organization_options_are_the_ones_of_the_catalogue() -> None:
    described = load_schemas()["organization-updated.schema.json"]["properties"]["data"]["properties"]
    apart = {"organization", "name", "defaultRole", "avatarType", "avatar", "color", "actor"}

    assert described.keys() - apart == OPTIONS.keys() | FLAGS.keys()
    for name, option in OPTIONS.items():
        assert described[name].items() >= as_schema(option).items()
        assert [described[name].get(limit) for limit in ("minimum", "maximum")] == [option.minimum, option.maximum]
    for name, flag in FLAGS.items():
        assert described[name].items() >= {"type": "boolean", "default": flag.read(DEFAULT_FLAGS)}.items()
    assert described["defaultRole"]["enum"] == list(ROLES)
    assert described["defaultRole"]["default"] == DEFAULT_ROLE


def as_schema(option: Option) -> dict[str, Any]:
    """What a schema says of an option, its description and limits aside."""
    kinds: dict[str, dict[str, Any]] = {
        "integer": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "strings": {"type": "array", "items": {"$ref": f"{COMMON}#/$defs/fieldName"}},
        "role": {"enum": list(ROLES)},
        "json": {"type": ["string", "null"], "format": "json-text"},
        "relays": {"type": "array", "items": {"$ref": f"{COMMON}#/$defs/trustedRelay"}, "x-unique": "publicKey"},
    }
    default = {} if option.default is None else {"default": option.default}
    return {**kinds[option.kind], **default}
