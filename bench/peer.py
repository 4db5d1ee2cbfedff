"""Runs the row-by-row version in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import orjson

from bench.databases import checkpoint
from bench.results import Row
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.client import Document


def run_row_by_row(workload: str, url: str, documents: Sequence[Document]) -> Row:
    """Apply events, one after the other.

    Args:
        workload: name of the workload, for the row.
        url: a database with the product's tables.
        documents: the events.

    Raises:
        UsageError: it failed; gives its last words.
    """
    checkpoint(url)
    ended = subprocess.run(
        [sys.executable, "-m", "bench.row_by_row"],
        input=b"\n".join(orjson.dumps(document) for document in documents),
        capture_output=True,
        env={**os.environ, "BENCH_DATABASE_URL": url},
        check=False,
    )
    if ended.returncode != 0:
        words = ended.stderr.decode(errors="replace").strip().splitlines()[-5:]
        message = f"the row-by-row version failed: {' | '.join(words)}"
        raise UsageError(message)
    figures = orjson.loads(ended.stdout)
    return Row(workload, "row-by-row", figures["events"], figures["seconds"], figures["residentMiB"])
