"""Lua scripts and SQL statements of ``ids``, each run in one round trip."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def lua(name: str) -> str:
    """The script in ``ids/lua/<name>.lua``."""
    return _read("lua", f"{name}.lua")


@cache
def sql(name: str) -> str:
    """The statement in ``ids/sql/<name>.sql``, with psycopg2 placeholders."""
    return _read("sql", f"{name}.sql")


def _read(folder: str, name: str) -> str:
    return (resources.files("consumer.ids") / folder / name).read_text(encoding="utf-8")
