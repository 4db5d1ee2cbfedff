"""What a newer set of schemas breaks for those who hold on to the older one.

Events that come in must go on to be accepted: the newer schema may only take more. What goes out must go on to be
understood: there it may only say less than it might have, and every field stays. Fields may be added in both.
"""

from __future__ import annotations

import json
from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Schema = dict[str, Any]

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_LEAST = frozenset({"minLength", "minimum", "minItems", "minProperties"})
_MOST = frozenset({"maxLength", "maximum", "maxItems", "maxProperties"})
_OPAQUE = ("if", "then", "else", "not", "anyOf", "oneOf", "prefixItems", "contains", "dependentRequired", "x-unique")


@dataclass
class _Facets:
    """All that applies to one value, references followed and ``allOf`` laid together."""

    types: frozenset[str] = _TYPES
    values: frozenset[str] | None = None
    least: dict[str, float] = field(default_factory=dict)
    most: dict[str, float] = field(default_factory=dict)
    patterns: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    closed: bool = False
    fields: dict[str, list[_Node]] = field(default_factory=dict)
    items: list[_Node] = field(default_factory=list)
    others: list[_Node] = field(default_factory=list)


@dataclass(frozen=True)
class _Node:
    """A schema within its file, which its references start from."""

    schema: Schema
    root: Schema
    files: Mapping[str, Schema]

    def inside(self, schema: Schema) -> _Node:
        return _Node(schema, self.root, self.files)

    def referred(self) -> _Node:
        file, _, pointer = self.schema["$ref"].partition("#")
        root = self.files[file] if file else self.root
        found = root
        for name in pointer.split("/")[1:]:
            found = found[name]
        return _Node(found, root, self.files)


def broken(old: Mapping[str, Schema], new: Mapping[str, Schema], *, outgoing: bool) -> list[str]:
    """What the newer schemas of one folder break, in words; empty: nothing.

    Args:
        old: the older schemas by file name; a name is what their references start with.
        new: the newer ones.
        outgoing: whether they are of what goes out.
    """
    found = []
    for name, schema in old.items():
        if not _is_of_a_type(schema):
            continue
        if name not in new:
            found.append(f"{name}: was removed")
            continue
        before, after = _Node(schema, schema, old), _Node(new[name], new[name], new)
        found += [
            f"{name}: {where or '$'}: {what}" for where, what in _compare([before], [after], "", outgoing=outgoing)
        ]
    return found


def _is_of_a_type(schema: Schema) -> bool:
    """Whether it describes events, not only parts that others share."""
    return "type" in schema.get("properties", {})


def _compare(old: list[_Node], new: list[_Node], where: str, *, outgoing: bool) -> Iterator[tuple[str, str]]:
    before, after = _facets(old), _facets(new)
    loose, tight = (after, before) if outgoing else (before, after)
    for what in _tightened(loose, tight):
        yield where, f"does not keep to what it promised: {what}" if outgoing else what
    for name, nodes in before.fields.items():
        if name in after.fields:
            yield from _compare(nodes, after.fields[name], f"{where}.{name}" if where else name, outgoing=outgoing)
        else:
            yield where, f"field {name} was removed"
    if before.items and after.items:
        yield from _compare(before.items, after.items, f"{where}[]", outgoing=outgoing)
    elif (after if not outgoing else before).items:
        yield where, "items are described where they were not" if not outgoing else "items are not described any more"
    if before.others and after.others:
        yield from _compare(before.others, after.others, f"{where}.*", outgoing=outgoing)


def _tightened(loose: _Facets, tight: _Facets) -> Iterator[str]:
    """How the second accepts less than the first, its parts aside."""
    gone = loose.types - tight.types - ({"integer"} if "number" in tight.types else set())
    if gone:
        yield f"type {', '.join(sorted(gone))} is not taken any more"
    if tight.values is not None:
        missing = None if loose.values is None else loose.values - tight.values
        if missing is None:
            yield "values are limited to a list"
        elif missing:
            yield f"value {', '.join(sorted(missing))} is not taken any more"
    for name, limit in tight.least.items():
        if name not in loose.least or loose.least[name] < limit:
            yield f"{name} is {limit:g}, was {_told(loose.least.get(name))}"
    for name, limit in tight.most.items():
        if name not in loose.most or loose.most[name] > limit:
            yield f"{name} is {limit:g}, was {_told(loose.most.get(name))}"
    yield from (f"pattern {pattern} is new" for pattern in sorted(tight.patterns - loose.patterns))
    yield from (f"format {name} is new" for name in sorted(tight.formats - loose.formats))
    yield from (f"field {name} is required" for name in sorted(tight.required - loose.required))
    yield from (f"condition {condition} is new" for condition in sorted(tight.opaque - loose.opaque))
    if tight.closed and not loose.closed:
        yield "further fields are not taken any more"


def _told(limit: float | None) -> str:
    return "not limited" if limit is None else f"{limit:g}"


def _facets(nodes: list[_Node]) -> _Facets:
    facets = _Facets()
    for node in nodes:
        _add(facets, node)
    return facets


def _add(facets: _Facets, node: _Node) -> None:
    """Lay what a schema says on top of what is known."""
    schema = node.schema
    if "$ref" in schema:
        _add(facets, node.referred())
    for part in schema.get("allOf", ()):
        _add(facets, node.inside(part))
    _limit(facets, schema)
    facets.opaque |= {_opaque(name, node) for name in _OPAQUE if name in schema}
    for name, child in schema.get("properties", {}).items():
        facets.fields.setdefault(name, []).append(node.inside(child))
    if "items" in schema:
        facets.items.append(node.inside(schema["items"]))
    match schema.get("additionalProperties", True):
        case False:
            facets.closed = True
        case dict() as others:
            facets.others.append(node.inside(others))


def _limit(facets: _Facets, schema: Schema) -> None:
    """What a schema says of the value itself, its parts aside."""
    if "type" in schema:
        types = schema["type"]
        facets.types &= frozenset([types] if isinstance(types, str) else types)
    if "enum" in schema or "const" in schema:
        values = frozenset(map(json.dumps, schema["enum"] if "enum" in schema else [schema["const"]]))
        facets.values = values if facets.values is None else facets.values & values
    for name in _LEAST & schema.keys():
        facets.least[name] = max(schema[name], facets.least.get(name, schema[name]))
    for name in _MOST & schema.keys():
        facets.most[name] = min(schema[name], facets.most.get(name, schema[name]))
    facets.patterns |= {schema["pattern"]} if "pattern" in schema else set()
    facets.formats |= {schema["format"]} if "format" in schema else set()
    facets.required |= frozenset(schema.get("required", ()))


def _opaque(name: str, node: _Node) -> str:
    """A condition as text, with what it refers to, so that any change of it shows."""
    return f"{name} {json.dumps(_expanded(node.schema[name], node), sort_keys=True)}"


def _expanded(value: Any, node: _Node) -> Any:
    if isinstance(value, list):
        return [_expanded(child, node) for child in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = node.inside(value).referred()
        value = dict(ChainMap({name: child for name, child in value.items() if name != "$ref"}, target.schema))
        node = target
    return {
        name: _expanded(child, node)
        for name, child in value.items()
        if name not in {"title", "description", "examples", "default", "x-message"}
    }
