"""Checks that are one query each: a row of its answer is a row at fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consumer.ops.verify.report import SHOWN_ROWS, Fault
from consumer.store.database import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.store.database import Cursor


@dataclass(frozen=True, slots=True)
class Check:
    """A promise that a query can judge.

    Args:
        name: kebab-case; the query stands in ``store/sql/verify_<name with underscores>.sql``.
        table: what the rows of its answer are of.
        promise: what should be true.
        remedy: what to do if it is not.
    """

    name: str
    table: str
    promise: str
    remedy: str

    def run(self, cursor: Cursor, parameters: Mapping[str, Any] | None = None) -> Fault | None:
        """Judge; only the rows that a fault names leave the database."""
        return self.judge(cursor, sql(f"verify_{self.name.replace('-', '_')}"), parameters)

    def judge(self, cursor: Cursor, query: str, parameters: Mapping[str, Any] | None = None) -> Fault | None:
        """Judge by a query of one's own."""
        cursor.execute(
            f"SELECT count(*) OVER (), to_json(fault) FROM ({query}) AS fault LIMIT {SHOWN_ROWS}",  # noqa: S608  # ours
            parameters or {},
        )
        found = cursor.fetchall()
        return self.fault(found[0][0], [row for _, row in found]) if found else None

    def fault(self, total: int, rows: list[dict[str, Any]]) -> Fault:
        """The fault, in so many rows, of which these are the first."""
        return Fault(self.name, self.table, self.promise, self.remedy, total, rows[:SHOWN_ROWS])
