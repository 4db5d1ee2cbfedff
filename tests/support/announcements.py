"""Whether what went out is what its schema says."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, Registry, Validator

from consumer.contracts.schemas import SUFFIX, load_announcements


def broken_promises_of(document: dict[str, Any]) -> list[str]:
    """What is wrong with an activity or dead letter in structured form; empty: nothing."""
    errors = _validator(document["type"]).iter_errors(document)
    return [f"{document['type']} {'.'.join(map(str, error.instance_path))}: {error.message}" for error in errors]


@cache
def _validator(type_: str) -> Validator:
    registry = Registry((f"json-schema:///{name}", schema) for name, schema in load_announcements().items())
    return Draft202012Validator({"$ref": type_ + SUFFIX}, registry=registry, validate_formats=True)
