"""The time of PostgreSQL by statement, from its own log: the embedded server has no extension that counts."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from psycopg2.sql import SQL, Identifier

from bench.databases import administer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENTRY = re.compile(
    r"^\d{4}-\d\d-\d\d \S+ \S+ \[\d+\] (\S*) LOG:  duration: ([\d.]+) ms  (?:statement|execute \S+): (.*)"
)
_COMMENT = re.compile(r"--[^\n]*")
_LITERAL = re.compile(r"E?'(?:[^'\\]|''|\\.)*'", re.DOTALL)
_NUMBER = re.compile(r"\b\d+\b")
_LIST = re.compile(r"(?:\?,\s*)+\?")
_LENGTH = 110


@contextmanager
def logged_statements(url: str, log: Path) -> Iterator[list[str]]:
    """Let PostgreSQL log the duration of every statement of new connections to a database.

    Args:
        url: the database; its user is a superuser.
        log: the log file of the server.

    Yields:
        what is filled at the end: a line per statement, the one that took longest in all first.
    """
    name = urlsplit(url).path.removeprefix("/")
    lines: list[str] = []
    administer(url, SQL("ALTER DATABASE {} SET log_min_duration_statement = 0").format(Identifier(name)))
    start = log.stat().st_size
    try:
        yield lines
    finally:
        administer(url, SQL("ALTER DATABASE {} RESET log_min_duration_statement").format(Identifier(name)))
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        lines += _sum_up(file, name)


def _sum_up(file: Iterator[str], database: str) -> list[str]:
    totals: defaultdict[str, list[float]] = defaultdict(list)
    for statement, milliseconds in _entries(file, database):
        totals[_shape(statement)].append(milliseconds)
    ranked = sorted(totals.items(), key=lambda item: -sum(item[1]))
    return [
        f"{sum(times):10.1f} ms {len(times):7} x {sum(times) / len(times):9.2f} ms  {statement}"
        for statement, times in ranked
    ]


def _entries(file: Iterator[str], database: str) -> Iterator[tuple[str, float]]:
    """Statements with their durations; lines after the first of an entry begin with a tab."""
    statement: list[str] = []
    milliseconds = 0.0
    for line in file:
        if line.startswith("\t"):
            statement.append(line)
            continue
        if statement:
            yield "".join(statement), milliseconds
            statement = []
        entry = _ENTRY.match(line)
        if entry is not None and entry[1] == database:
            milliseconds = float(entry[2])
            statement = [entry[3], "\n"]
    if statement:
        yield "".join(statement), milliseconds


def _shape(statement: str) -> str:
    """A statement without its values, on one line."""
    text = _NUMBER.sub("?", _LITERAL.sub("?", statement))
    text = " ".join(_COMMENT.sub(" ", text).split())
    return _LIST.sub("?", text)[:_LENGTH]
