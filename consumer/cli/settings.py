"""``settings``: what this installation is set to, and where each value comes from."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from consumer.cli.output import json_option, print_json, print_table
from consumer.services import remembered_servers
from consumer.settings import ENV_PREFIX, Settings, load_settings, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

MASK = "***"

_SECRET_NAME = re.compile(r"password|secret|key|jaas|token", re.IGNORECASE)
# To the last @ before the path: a password that was not percent-encoded may hold one itself.
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/?#:@]*):[^?#\s]*@")
_PASSWORD_IN_QUERY = re.compile(r"(?<=[?&])([^=&#]*(?:password|secret|token)[^=&#]*)=[^&#]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A setting as people read it; secrets are masked already."""

    name: str
    value: Any
    default: Any
    source: str
    variable: str
    meaning: str


@click.command()
@json_option
def settings(*, as_json: bool) -> None:
    """Print all settings with value, default, source, environment variable and meaning; secrets are masked.

    Settings come from options of a command, the environment, or a file .env, in this order; servers that none of them
    names, from the stack of this folder.

    \b
    Example:
      RELEASE_CONSUMER_BATCH_SIZE=100 release-consumer settings --json
    """
    values = load_settings()
    lines = list(setting_lines(values, remembered_servers(values)))
    if as_json:
        print_json({"settings": [asdict(line) for line in lines]})
        return
    print_table(
        ("SETTING", "VALUE", "DEFAULT", "SOURCE", "VARIABLE", "MEANING"),
        [(line.name, line.value, line.default, line.source, line.variable, line.meaning) for line in lines],
    )


def setting_lines(values: Settings, of_stack: Mapping[str, str] = MappingProxyType({})) -> Iterator[SettingLine]:
    """All settings in the order of their catalogue; nested ones and Kafka properties on lines of their own.

    Args:
        values: the settings.
        of_stack: values of settings that name no server, which the stack has in their place.
    """
    for name, field in Settings.model_fields.items():
        value = getattr(values, name)
        if isinstance(value, BaseModel):
            for nested_name, nested_field in type(value).model_fields.items():
                yield _line(f"{name}.{nested_name}", getattr(value, nested_name), nested_field)
        elif name == "kafka" and value:
            for property_name, property_value in values.kafka_properties.items():
                yield _line(f"{name}.{property_name}", property_value, field, default=None)
        elif name in of_stack:
            yield replace(_line(name, of_stack[name], field), source="stack")
        else:
            yield _line(name, value, field)


def mask(name: str, value: str) -> str:
    """A value without its secrets: the password of a URL, or all of it where the name says that it is secret."""
    if name.startswith("kafka.") and _SECRET_NAME.search(name):
        return MASK
    return _PASSWORD_IN_QUERY.sub(rf"\1={MASK}", _PASSWORD_IN_URL.sub(rf"\1:{MASK}@", value))


def _line(name: str, value: Any, field: FieldInfo, **default: Any) -> SettingLine:
    variable = name.replace(".", "__", 1).replace(".", "_").upper()
    return SettingLine(
        name=name,
        value=_plain(name, value),
        default=_plain(name, default.get("default", field.get_default(call_default_factory=True))),
        source=source_of(variable),
        variable=f"{ENV_PREFIX}{variable}",
        meaning=field.description or "",
    )


def _plain(name: str, value: Any) -> Any:
    if value is PydanticUndefined:
        return None
    return value if isinstance(value, bool | int | float | list | dict | None) else mask(name, str(value))
