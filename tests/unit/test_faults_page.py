"""docs/faults.md: every row of the fault matrix and every invariant stands there, and the tests it names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "faults.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(\w+/test_\w+\.py)::(\w+)`", PAGE)))


def test_it_names_tests() -> None:
    assert len(NAMED) > 40


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_fault_and_every_promise_has_a_row() -> None:
    rows = set(re.findall(r"^\| ([FI]\d+): ", PAGE, re.MULTILINE))
    assert rows == {f"F{number}" for number in range(1, 25)} | {f"I{number}" for number in range(1, 13)}


def test_every_row_of_a_fault_names_a_test_or_says_why_not() -> None:
    for row in re.findall(r"^\| F\d+: .*$", PAGE, re.MULTILINE):
        assert "::" in row or "Does not apply" in row or "Not tested" in row, row
