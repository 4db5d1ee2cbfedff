"""References that no foreign key guards: rows that every event adds would pay for one (see ``store/tables.py``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from consumer.ops.verify.checks import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.ops.verify.report import Fault
    from consumer.store.database import Cursor


class Reference(NamedTuple):
    """A column that names a row of another table by its id; ``only`` narrows the rows it is about."""

    table: str
    key: str
    column: str
    target: str
    only: str = "true"


_LINK = "linked_type, linked_id, "

REFERENCES = (
    Reference("release", "id", "organization_id", "organization"),
    Reference("release", "id", "last_commit_id", "commit"),
    Reference("release_commit", "release_id, position", "release_id", "release"),
    Reference("release_commit", "release_id, position", "commit_id", "commit"),
    Reference("release_head_commit", "release_id, repository_id", "release_id", "release"),
    Reference("release_head_commit", "release_id, repository_id", "repository_id", "repository"),
    Reference("release_head_commit", "release_id, repository_id", "commit_id", "commit"),
    Reference("release_project", "release_id, project_id", "release_id", "release"),
    Reference("release_project", "release_id, project_id", "project_id", "project"),
    Reference("release_environment", "release_id, project_id, environment_id", "release_id", "release"),
    Reference("release_environment", "release_id, project_id, environment_id", "project_id", "project"),
    Reference("release_environment", "release_id, project_id, environment_id", "environment_id", "environment"),
    Reference("release_environment", "release_id, project_id, environment_id", "last_deploy_id", "deploy"),
    Reference("deploy", "id", "release_id", "release"),
    Reference("deploy", "id", "environment_id", "environment"),
    Reference("repository", "id", "organization_id", "organization"),
    Reference("commit_author", "id", "organization_id", "organization"),
    Reference("commit", "id", "repository_id", "repository"),
    Reference("commit", "id", "author_id", "commit_author"),
    Reference("commit_file_change", "commit_id, filename", "commit_id", "commit"),
    Reference("pull_request", "id", "repository_id", "repository"),
    Reference("pull_request", "id", "author_id", "commit_author"),
    Reference("message_reference", f"{_LINK}short_id", "linked_id", "commit", "linked_type = 1"),
    Reference("message_reference", f"{_LINK}short_id", "linked_id", "pull_request", "linked_type = 2"),
    Reference("group_link", "id", "linked_id", "commit", "linked_type = 1"),
    Reference("group_link", "id", "linked_id", "pull_request", "linked_type = 2"),
    Reference("group_link", "id", "linked_id", "external_issue", "linked_type = 3"),
    Reference("group_resolved_by", "group_id, release_id, linked_type, linked_id", "group_id", "issue_group"),
    Reference("group_resolved_by", "group_id, release_id, linked_type, linked_id", "release_id", "release"),
    Reference("activity", "id", "offset_id", "consumer_offset"),
    Reference("outbox", "offset_id, seq", "offset_id", "consumer_offset"),
    Reference("outbox", "offset_id, seq", "activity_id", "activity"),
    Reference("outbox", "offset_id, seq", "dead_letter_id", "dead_letter"),
)


def check_references(cursor: Cursor) -> Iterator[tuple[Check, Fault | None]]:
    """Judge all references, one query each: rows that name one that does not exist."""
    for reference in REFERENCES:
        yield _check(reference), _check(reference).judge(cursor, _query(reference))


def _check(reference: Reference) -> Check:
    return Check(
        f"reference-{reference.table}-{reference.column}-{reference.target}".replace("_", "-"),
        reference.table,
        f"{reference.column} names a row of {reference.target} that exists",
        "rows were removed by hand, or a restore was not of one moment: restore them, or remove those that name them",
    )


def _query(reference: Reference) -> str:
    columns = dict.fromkeys(f"{reference.key}, {reference.column}".split(", "))
    return (
        f'SELECT {", ".join(columns)} FROM "{reference.table}" AS r'  # noqa: S608  # names of the catalogue above
        f" WHERE {reference.only} AND r.{reference.column} IS NOT NULL"
        f' AND NOT EXISTS (SELECT FROM "{reference.target}" AS t WHERE t.id = r.{reference.column})'
        f" ORDER BY {', '.join(columns)}"
    )
