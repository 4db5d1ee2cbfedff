"""Validation: what is wrong with a CloudEvent, in words for people and with JSON paths (SEMANTICS section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema_rs import Draft202012Validator, Registry, ValidationError, Validator

from consumer.contracts.formats import FORMATS
from consumer.contracts.schemas import (
    COMMON,
    SUFFIX,
    ListField,
    Schema,
    event_types,
    list_fields,
    load_schemas,
    pattern_messages,
)
from consumer.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_VIOLATIONS = 1000
"""How many errors of one event are listed; a hostile event of 20 MiB would have millions."""

_LONGEST = 500
"""Characters of a name in a path, of a path, and of a message; a hostile event has names of megabytes."""

FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
"""NUL characters, which PostgreSQL cannot keep, and lone surrogates, which are not Unicode text."""

Path = tuple[str | int, ...]

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


@dataclass(frozen=True, slots=True)
class _Contract:
    """A schema compiled twice: ``quick`` leaves to the parser what is slow to check, ``full`` checks all of it.

    ``lists`` are the lists inside a value by their path.
    """

    quick: Validator
    full: Validator
    lists: dict[tuple[str, ...], ListField]


def json_path(path: Path) -> str:
    """The JSON path of a value, such as ``$.data.commits[3].id``."""
    return _shortened("$" + "".join(map(_step, path)))


def accepts(document: dict[str, Any]) -> bool:
    """Whether a document has a known type and fits its schema; dates may still be ones that no calendar has."""
    contract = _events().get(_type_of(document))
    return contract is not None and contract.quick.is_valid(document)


def validate(document: Any) -> list[Violation]:
    """Everything that is wrong with a CloudEvent before it is published or after it was refused.

    Args:
        document: the CloudEvent in structured form, as ``json.loads`` returns it.

    Returns:
        The violations, at most ``MAX_VIOLATIONS`` and a last one that says so; empty for a valid event. A lone
        surrogate hides what else is wrong.
    """
    forbidden = forbidden_text(document)
    try:
        return [*forbidden, *schema_violations(document)]
    except UnicodeEncodeError:  # a lone surrogate: schemas are checked on Unicode text only
        return forbidden


def is_version(text: str) -> bool:
    """Whether a text can be a version (SEMANTICS section 3)."""
    return not FORBIDDEN.search(text) and _definitions()["version"].quick.is_valid(text)


def forbidden_text(document: Any) -> list[Violation]:
    """NUL characters and lone surrogates anywhere in a document: in values and in names of fields."""
    return _bounded(_forbidden_text(document))


def schema_violations(document: Any) -> list[Violation]:
    """What breaks the schema of the document's type, dates that no calendar has among it."""
    return _bounded(_schema_violations(document))


def _bounded(violations: Iterator[Violation]) -> list[Violation]:
    found = [Violation(v.path, _shortened(v.message)) for v in islice(violations, MAX_VIOLATIONS + 1)]
    if len(found) > MAX_VIOLATIONS:
        found[-1] = Violation("$", f"has more errors than these {MAX_VIOLATIONS}; the rest is not listed")
    return found


def _forbidden_text(document: Any) -> Iterator[Violation]:
    pending: list[tuple[Path, Any]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, str):
            if FORBIDDEN.search(value):
                yield Violation(json_path(path), _forbidden_message("contains", value))
        elif isinstance(value, dict):
            for name, child in value.items():
                if FORBIDDEN.search(name):
                    yield Violation(json_path(path), _forbidden_message("has a field whose name contains", name))
                else:
                    pending.append(((*path, name), child))
        elif isinstance(value, list):
            pending.extend(((*path, index), child) for index, child in enumerate(value))


def _forbidden_message(verb: str, text: str) -> str:
    return f"{verb} a NUL character" if "\0" in text else f"{verb} a lone surrogate, which is not Unicode text"


def _schema_violations(document: Any) -> Iterator[Violation]:
    if not isinstance(document, dict):
        yield Violation("$", "must be a JSON object")
        return
    contract = _events().get(_type_of(document))
    if contract is None:
        contract = _definitions()["cloudevent"]
        known = ", ".join(event_types())
        yield Violation("$.type", f"is not a known type; known are {known}" if "type" in document else "is required")
    yield from _errors(contract, document, ())


def _errors(contract: _Contract, value: Any, path: Path) -> Iterator[Violation]:
    """Errors of a value; its lists are gone through item by item.

    ``iter_errors`` makes every error before it returns the first, at kilobytes each: it must not see a long list.
    """
    outline = value
    lists: dict[Path, list[Any]] = {}
    for place in contract.lists:
        outline, lists[place] = _emptied(outline, place)
    errors = _iter_errors(contract, outline)
    if errors is None:
        yield Violation(json_path(path), "has an error in something that is nested more than 255 levels deep")
        errors = []
    misspelt = {where for where, error in errors if error.kind.name == "pattern"}
    for where, error in errors:
        emptied = error.kind.name == "minItems" and lists.get(where)
        # What is not written as a date is not called a date that no calendar has, too.
        repeated = error.kind.name == "format" and where in misspelt
        if not emptied and not repeated:
            yield _violation(error, (*path, *where))
    for place, field in contract.lists.items():
        item_contract = _definitions()[field.items]
        for index, item in enumerate(lists[place]):
            if not item_contract.full.is_valid(item):
                yield from _errors(item_contract, item, (*path, *place, index))
        if field.unique:
            for index, key in _repeated(lists[place], field.unique):
                yield Violation(json_path((*path, *place, index, field.unique)), f"{field.repeated}: {key!r}")


def _iter_errors(contract: _Contract, value: Any) -> list[tuple[Path, ValidationError]] | None:
    """Errors of a value with their places in it; ``None`` where jsonschema-rs cannot tell them.

    It gives each with the value that is wrong, and gives no value of more than 255 levels (tried with 0.60).
    """
    try:
        return [(tuple(error.instance_path), error) for error in contract.full.iter_errors(value)]
    except UnicodeEncodeError:
        raise
    except ValueError:
        return None


def _repeated(items: list[Any], name: str) -> Iterator[tuple[int, str]]:
    """The items whose text ``name`` an item before them has, too: their index and that text."""
    seen: set[str] = set()
    for index, item in enumerate(items):
        key = item.get(name) if isinstance(item, dict) else None
        if isinstance(key, str):
            if key in seen:
                yield index, key
            seen.add(key)


def _emptied(value: Any, path: tuple[str, ...]) -> tuple[Any, list[Any]]:
    """A value with the list at ``path`` emptied, and that list; the value itself where there is none."""
    name, *rest = path
    child = value.get(name) if isinstance(value, dict) else None
    if rest:
        child, items = _emptied(child, tuple(rest))
    else:
        child, items = [], child if isinstance(child, list) else []
    return ({**value, name: child}, items) if items else (value, [])


def _violation(error: ValidationError, path: Path) -> Violation:
    keyword, detail = error.kind.name, error.kind.value
    if keyword == "required":
        return Violation(json_path((*path, detail)), "is required")
    if keyword == "format":
        return Violation(json_path(path), FORMATS[detail](str(error.instance)) or error.message)
    message = _MESSAGES.get(keyword)
    return Violation(json_path(path), message(detail) if message else error.message)


def _type_message(types: list[str]) -> str:
    return f"must be {' or '.join(_TYPE_NAMES[name] for name in sorted(types, key=lambda name: name == 'null'))}"


def _literal(value: Any) -> str:
    return "null" if value is None else repr(value)


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    part = _shortened(part)
    return f".{part}" if _IDENTIFIER.fullmatch(part) else f"[{orjson.dumps(part).decode()}]"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def _type_of(document: dict[str, Any]) -> str:
    type_ = document.get("type")
    return type_ if isinstance(type_, str) else ""


@cache
def _events() -> dict[str, _Contract]:
    return {type_: _compile(type_ + SUFFIX, load_schemas()[type_ + SUFFIX]) for type_ in event_types()}


@cache
def _definitions() -> dict[str, _Contract]:
    definitions = load_schemas()[COMMON]["$defs"]
    return {name: _compile(f"{COMMON}#/$defs/{name}", schema) for name, schema in definitions.items()}


def _compile(reference: str, schema: Schema) -> _Contract:
    root = {"$ref": reference}
    checks = {name: _fits(complain) for name, complain in FORMATS.items()}
    return _Contract(
        quick=Draft202012Validator(root, registry=_registry(), validate_formats=False),
        full=Draft202012Validator(root, registry=_registry(), validate_formats=True, formats=checks),
        lists=list_fields(schema),
    )


@cache
def _registry() -> Registry:
    return Registry((f"json-schema:///{name}", schema) for name, schema in load_schemas().items())


def _fits(complain: Callable[[str], str | None]) -> Callable[[str], bool]:
    return lambda text: complain(text) is None


_MESSAGES: dict[str, Callable[[Any], str]] = {
    "const": lambda value: f"must be {_literal(value)}",
    "enum": lambda values: f"must be one of {', '.join(map(_literal, values))}",
    "maxLength": lambda limit: f"must have at most {limit} characters",
    "maximum": lambda limit: f"must be at most {limit}",
    "minItems": lambda limit: f"must list at least {limit}",
    "minLength": lambda _: "must not be empty",
    "minimum": lambda limit: f"must be at least {limit}",
    "pattern": lambda pattern: pattern_messages()[pattern],
    "type": _type_message,
}
