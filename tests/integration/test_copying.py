"""COPY brings values of every kind to the table as they are, whatever else stands in their column."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
import pytest

from consumer.codes import GroupStatus
from consumer.store.copying import copy_rows

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

COLUMNS = [
    pytest.param("bigint", [1, -(2**63), 2**63 - 1], id="numbers"),
    pytest.param("bigint", [None, 7, None], id="numbers and nothing"),
    pytest.param("smallint", [GroupStatus.RESOLVED, GroupStatus.IGNORED], id="codes"),
    pytest.param("boolean", [True, False, None], id="truth values"),
    pytest.param("timestamptz", [FIRST, NOON, NOON + timedelta(microseconds=1), LAST], id="times"),
    pytest.param("timestamptz", [None, NOON], id="times and nothing"),
    pytest.param("text", ["plain", "", "null", r"\N", "Zoë"], id="texts"),
    pytest.param("text", ["a\tb", "c\nd", "e\r\nf", r"g\nh", "\\", 'i"j'], id="texts with special characters"),
    pytest.param("text", [None, "a\tb", "null", ""], id="texts and nothing"),
    pytest.param("bigint[]", [[1, 2], [], [3]], id="lists"),
    pytest.param("bigint[]", [[]], id="an empty list"),
    pytest.param("bytea", [b"\x00\xff\\", None, b""], id="bytes"),
]


@pytest.mark.parametrize(("type_", "values"), COLUMNS)
def test_what_is_copied_is_what_is_read(database_url: str, type_: str, values: list[Any]) -> None:
    with (
        closing(psycopg2.connect(database_url, options="-c timezone=UTC")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"CREATE TEMPORARY TABLE copied (position integer, value {type_})")
        copy_rows(cursor, "copied", "position, value", list(enumerate(values)))
        cursor.execute("SELECT value FROM copied ORDER BY position")
        read = [bytes(value) if isinstance(value, memoryview) else value for (value,) in cursor.fetchall()]
    assert read == values


def test_many_rows_keep_their_values(database_url: str) -> None:
    rows = [(number, f"line {number}\n", NOON if number % 3 else None) for number in range(2500)]
    with (
        closing(psycopg2.connect(database_url, options="-c timezone=UTC")) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("CREATE TEMPORARY TABLE copied (number integer, line text, at timestamptz)")
        copy_rows(cursor, "copied", "number, line, at", rows)
        cursor.execute("SELECT * FROM copied ORDER BY number")
        assert cursor.fetchall() == rows
