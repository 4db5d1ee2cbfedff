"""Writing a working set back: new rows by COPY, changes by one statement a table.

Nothing here decides anything: a row that another transaction touched since it was read makes the batch fail
(``StaleSnapshot``, or a unique violation for a row made twice), and the batch is read and applied anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.store.saving.catalog import save_catalog
from consumer.store.saving.commits import save_commits
from consumer.store.saving.groups import save_groups, save_pull_requests, save_references
from consumer.store.saving.releases import save_releases

if TYPE_CHECKING:
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet


def save(cursor: Cursor, rows: WorkingSet) -> None:
    """Write everything that the batch created and changed, except its facts (``store.outbox``).

    Raises:
        StaleSnapshot: a row that the batch read was changed by another transaction.
        psycopg2.IntegrityError: another transaction made the same row first.
    """
    save_catalog(cursor, rows)
    save_commits(cursor, rows)
    save_releases(cursor, rows)
    save_pull_requests(cursor, rows)
    save_references(cursor, rows)
    save_groups(cursor, rows)
