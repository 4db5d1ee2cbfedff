"""Which changes of a schema break those who hold on to the version before."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import check_schemas
import pytest
from schema_changes import broken

if TYPE_CHECKING:
    from pathlib import Path

Schema = dict[str, Any]


def schema(field: Any, *, required: tuple[str, ...] = (), **more: Any) -> Schema:
    """An event with one field in its data, and others of no importance."""
    data = {"type": "object", "required": list(required), "properties": {"field": field, **more}}
    return {"type": "object", "properties": {"type": {"const": "event"}, "data": data}}


def found(old: Any, new: Any, *, outgoing: bool = False, **defs: tuple[Any, Any]) -> list[str]:
    common = [{"$defs": {name: pair[side] for name, pair in defs.items()}} for side in (0, 1)]
    before = {"event.schema.json": old, "common.schema.json": common[0]}
    after = {"event.schema.json": new, "common.schema.json": common[1]}
    return [what.removeprefix("event.schema.json: ") for what in broken(before, after, outgoing=outgoing)]


TEXT = {"type": "string"}
Case = tuple[Schema, Schema, str]
NARROWINGS: list[Case] = [
    ({"type": ["string", "null"]}, TEXT, "type null is not taken any more"),
    ({"type": "number"}, {"type": "integer"}, "type number is not taken any more"),
    ({}, TEXT, "type array, boolean, integer, null, number, object is not taken any more"),
    ({"enum": ["a", "b"]}, {"enum": ["b"]}, 'value "a" is not taken any more'),
    (TEXT, {**TEXT, "enum": ["a"]}, "values are limited to a list"),
    ({**TEXT, "maxLength": 5}, {**TEXT, "maxLength": 4}, "maxLength is 4, was 5"),
    (TEXT, {**TEXT, "maxLength": 4}, "maxLength is 4, was not limited"),
    ({**TEXT, "minLength": 1}, {**TEXT, "minLength": 2}, "minLength is 2, was 1"),
    ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}, "minimum is 1, was 0"),
    ({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 8}, "maximum is 8, was 9"),
    ({"type": "array"}, {"type": "array", "minItems": 1}, "minItems is 1, was not limited"),
    (TEXT, {**TEXT, "pattern": "^a"}, "pattern ^a is new"),
    (TEXT, {**TEXT, "allOf": [{"pattern": "^a"}]}, "pattern ^a is new"),
    (TEXT, {**TEXT, "format": "uri"}, "format uri is new"),
    ({"type": "array"}, {"type": "array", "x-unique": "key"}, 'condition x-unique "key" is new'),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}, "further fields are not taken any more"),
    ({"type": "object"}, {"type": "object", "required": ["a"]}, "field a is required"),
]
OTHERS: list[Case] = [
    ({"const": 1}, {"const": 2}, "value 1 is not taken any more"),
    ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "b"}, "pattern b is new"),
]


@pytest.mark.parametrize(("old", "new", "what"), NARROWINGS + OTHERS)
def test_what_comes_in_may_not_be_narrowed(old: Schema, new: Schema, what: str) -> None:
    assert found(schema(old), schema(new)) == [f"data.field: {what}"]
    assert found(schema({"type": "array", "items": old}), schema({"type": "array", "items": new})) == [
        f"data.field[]: {what}"
    ]


@pytest.mark.parametrize(("new", "old", "_"), NARROWINGS)
def test_what_comes_in_may_be_widened(old: Schema, new: Schema, _: str) -> None:
    assert found(schema(old), schema(new)) == []


@pytest.mark.parametrize(("new", "old", "what"), NARROWINGS)
def test_what_goes_out_may_not_be_widened(old: Schema, new: Schema, what: str) -> None:
    assert found(schema(old), schema(new), outgoing=True) == [f"data.field: does not keep to what it promised: {what}"]


def test_new_required_field_of_data() -> None:
    assert found(schema(TEXT), schema(TEXT, required=("field",))) == ["data: field field is required"]
    assert found(schema(TEXT, required=("field",)), schema(TEXT)) == []


def test_field_may_be_added_and_not_removed_in_both_directions() -> None:
    for outgoing in (False, True):
        assert found(schema(TEXT), schema(TEXT, more=TEXT), outgoing=outgoing) == []
        assert found(schema(TEXT, more=TEXT), schema(TEXT), outgoing=outgoing) == ["data: field more was removed"]


def test_type_that_is_gone() -> None:
    assert broken({"event.schema.json": schema(TEXT)}, {}, outgoing=False) == ["event.schema.json: was removed"]
    assert broken({}, {"event.schema.json": schema(TEXT)}, outgoing=False) == []


def test_definition_is_followed_wherever_it_is_used() -> None:
    uses = schema({"$ref": "common.schema.json#/$defs/slug", "description": "A slug."})

    assert found(uses, uses, slug=({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8})) == [
        "data.field: maxLength is 8, was 9"
    ]
    assert found(uses, schema({**TEXT, "maxLength": 9}), slug=({**TEXT, "maxLength": 9}, {})) == []


def test_condition_is_compared_with_what_it_refers_to() -> None:
    uses = schema({"if": TEXT, "then": {"$ref": "common.schema.json#/$defs/slug"}})

    assert found(uses, uses, slug=({"maxLength": 9}, {"maxLength": 9, "description": "new"})) == []
    assert found(uses, uses, slug=({"maxLength": 9}, {"maxLength": 8})) == [
        'data.field: condition then {"maxLength": 8} is new'
    ]


def test_words_may_change() -> None:
    assert found(schema({**TEXT, "description": "a"}), schema({**TEXT, "description": "b", "examples": ["c"]})) == []


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    save(tmp_path, schema(TEXT))
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", folder, *identity, *arguments], check=True)


def save(folder: Path, incoming: Schema, outgoing: Schema | None = None) -> None:
    for place, content in (("schemas", incoming), ("schemas/announcements", outgoing or schema(TEXT))):
        (folder / place).mkdir(exist_ok=True)
        (folder / place / "event.schema.json").write_text(json.dumps(content))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Schemas")


class TestScript:
    def test_no_tag_yet(self, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert check_schemas.main(checkout) == 0
        assert "no version is tagged yet" in capsys.readouterr().out

    def test_no_repository(self, tmp_path: Path) -> None:
        assert check_schemas.main(tmp_path) == 0

    def test_compatible_change(self, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
        git(checkout, "tag", "v1.0.0")
        save(checkout, schema(TEXT, more=TEXT))

        assert check_schemas.main(checkout) == 0
        assert capsys.readouterr().out == "schemas: compatible with v1.0.0\n"

    def test_incompatible_changes_of_both_directions(self, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
        git(checkout, "tag", "v1.0.0")
        save(checkout, schema(TEXT, required=("field",)), schema({"type": ["string", "null"]}))

        assert check_schemas.main(checkout) == 1
        told = capsys.readouterr().err.splitlines()
        assert told[0].startswith("schemas/event.schema.json: data: field field is required; ")
        assert told[1].startswith("schemas/announcements/event.schema.json: data.field: does not keep to what it ")
        assert all(line.endswith("; that breaks those who hold on to v1.0.0") for line in told)

    def test_only_the_last_version_counts_and_other_tags_do_not(self, checkout: Path) -> None:
        git(checkout, "tag", "v1.0.0")
        save(checkout, schema(TEXT, required=("field",)))
        git(checkout, "tag", "--annotate", "v2.0.0", "--message", "Two")
        save(checkout, schema(TEXT, required=("field",)))
        git(checkout, "tag", "nightly")

        assert check_schemas.last_version(checkout) == "v2.0.0"
        assert check_schemas.main(checkout) == 0
