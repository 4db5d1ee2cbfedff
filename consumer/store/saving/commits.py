"""Writing commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.store.copying import copy_rows, delete_rows, update_rows
from consumer.store.saving.selection import changed, new_in_each

if TYPE_CHECKING:
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet


def save_commits(cursor: Cursor, rows: WorkingSet) -> None:
    """Write commits and their file changes; releases whose logs hold a modified one follow."""
    modified = changed(rows.changed_commits)
    copy_rows(
        cursor,
        "commit",
        "id, repository_id, key, author_id, date_added, message",
        [
            (r.id, r.repository.id, r.key, r.author.id if r.author else None, r.date_added, r.message)
            for r in new_in_each(rows.commits)
        ],
    )
    update_rows(
        cursor,
        "update_commits",
        [
            {
                "id": r.id,
                "author_id": r.author.id if r.author else None,
                "date_added": r.date_added,
                "message": r.message,
                "xmin": r.xmin,
            }
            for r in modified
        ],
    )
    delete_rows(cursor, "follow_commits", [commit.id for commit in modified])
    copy_rows(cursor, "commit_file_change", "commit_id, filename, type", sorted(rows.new_file_changes))
