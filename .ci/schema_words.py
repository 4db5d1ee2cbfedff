"""A JSON Schema in words: tables of fields in Markdown, for the pages about events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Schema = dict[str, Any]

_TYPES = {
    "array": "list",
    "boolean": "`true` or `false`",
    "integer": "integer",
    "null": "null",
    "number": "number",
    "object": "object",
    "string": "text",
}


class Words:
    """What schemas say, in Markdown.

    Args:
        common: the schema whose ``$defs`` the others refer to.
    """

    def __init__(self, common: Schema) -> None:
        self._definitions: dict[str, Schema] = common["$defs"]

    def table(self, schema: Schema) -> Iterator[str]:
        """The lines of a table of the fields of an object."""
        yield "| field | type | required | meaning |"
        yield "|---|---|---|---|"
        required = schema.get("required", ())
        for name, field in schema["properties"].items():
            mark = "yes" if name in required else ""
            default = f" Default: `{_literal(field['default'])}`." if "default" in field else ""
            meaning = field.get("description") or self._resolved(field)["description"]
            yield f"| `{name}` | {self.type_of(field)} | {mark} | {_cell(meaning + default)} |"

    def type_of(self, schema: Schema) -> str:
        """The type of a value: its definition, its values, or the name of its type."""
        if "$ref" in schema:
            return self._link(schema)
        if "const" in schema:
            return f"`{_literal(schema['const'])}`"
        if "enum" in schema:
            return _either([f"`{_literal(value)}`" for value in schema["enum"]])
        if "items" in schema:
            nullable = " or null" if "null" in schema["type"] else ""
            return f"list of {self.type_of(schema['items'])}{nullable}"
        if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {self.type_of(schema['additionalProperties'])}"
        types = schema.get("type", "any")
        return _either([_TYPES.get(name, name) for name in ([types] if isinstance(types, str) else types)])

    def sections(self, *schemas: Schema) -> Iterator[str]:
        """The lines about everything that schemas refer to: objects as tables, texts in a list of their own."""
        used = list(dict.fromkeys(self._used(list(schemas))))
        for definition in (self._definitions[name] for name in used if "properties" in self._definitions[name]):
            yield from ("", f"### {definition['title']}", "", definition["description"], "")
            yield from self.table(definition)
        texts = [self._definitions[name] for name in used if "properties" not in self._definitions[name]]
        if texts:
            yield from ("", "### Types", "", "| type | what |", "|---|---|")
            yield from (f"| {text['title']} | {_cell(text['description'])} |" for text in texts)

    def _used(self, value: Any) -> Iterator[str]:
        """Names of the definitions that a schema refers to, those that they refer to after them."""
        if isinstance(value, list):
            for child in value:
                yield from self._used(child)
        elif isinstance(value, dict):
            if "$ref" in value:
                name = _name(value)
                yield name
                yield from self._used(self._definitions[name])
            for child in value.values():
                yield from self._used(child)

    def _link(self, reference: Schema) -> str:
        definition = self._resolved(reference)
        title = definition["title"]
        anchor = title.lower().replace(" ", "-") if "properties" in definition else "types"
        return f"[{title}](#{anchor})"

    def _resolved(self, reference: Schema) -> Schema:
        return self._definitions[_name(reference)]


def _name(reference: Schema) -> str:
    name: str = reference["$ref"].rpartition("/")[2]
    return name


def _either(words: list[str]) -> str:
    return " or ".join(words)


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
