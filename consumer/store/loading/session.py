"""The session of one load: the statements it sends, and the rows it has made so far, by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from consumer.store.database import Cursor, sql
from consumer.store.rows import Author, Commit, Group, Project, PullRequest, Release, Repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from consumer.store.needs import Needs
    from consumer.store.working_set import WorkingSet


class Session:
    """One load.

    Args:
        cursor: inside the batch's transaction.
        needs: what the events name.
        rows: the working set to fill.
    """

    def __init__(self, cursor: Cursor, needs: Needs, rows: WorkingSet) -> None:
        self.cursor = cursor
        self.needs = needs
        self.rows = rows
        self.repositories_by_id: dict[int, Repository] = {}
        self.projects_by_id: dict[int, Project] = {}
        self.releases_by_id: dict[int, Release] = {}
        self.groups_by_id: dict[int, Group] = {}
        self.authors_by_id: dict[int, Author] = {}
        self.authorless: dict[int, list[Commit | PullRequest]] = {}

    def query(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a named statement; every parameter goes as one JSON text. Nothing asked for: nothing sent."""
        if not any(parameters.values()):
            return []
        encoded = {key: orjson.dumps(list(value)).decode() for key, value in parameters.items()}
        self.cursor.execute(sql(name), encoded)
        return self.cursor.fetchall()

    def keys(self, field: str, names: Iterable[tuple[str, ...]]) -> list[dict[str, Any]]:
        """Keys of rows of known organizations; rows of an unknown organization cannot exist."""
        organizations = self.rows.organizations
        return [
            {"organization_id": organizations[slug].id, field: name} for slug, name in names if slug in organizations
        ]

    def grouped_keys(self, field: str, names: Mapping[str, Collection[str]]) -> list[dict[str, Any]]:
        """The same for many rows of few organizations: names by organization."""
        organizations = self.rows.organizations
        return [
            {"organization_id": organizations[slug].id, field: list(of_slug)}
            for slug, of_slug in names.items()
            if of_slug and slug in organizations
        ]

    def project(self, id_: int, organization_id: int, slug: str) -> Project:
        """The project of a row that was joined: one object an id, whichever statement met it first."""
        project = self.projects_by_id.get(id_)
        if project is None:
            project = Project(id=id_, organization_id=organization_id, slug=slug, stored=True)
            self.projects_by_id[id_] = project
        return project

    def repository(self, id_: int, organization_id: int, name: str) -> Repository:
        """The repository of a row; one object an id."""
        repository = self.repositories_by_id.get(id_)
        if repository is None:
            repository = Repository(id=id_, organization_id=organization_id, name=name, stored=True)
            self.rows.repositories[organization_id, name] = self.repositories_by_id[id_] = repository
        return repository

    def logged_commit(
        self,
        id_: int,
        repository_id: int,
        key: str,
        author_id: int | None,
        date_added: datetime,
        organization_id: int,
        repository_name: str,
    ) -> Commit:
        """A commit of a log or head, without its message; one object an id."""
        commit = self.rows.commits_by_id.get(id_)
        if commit is None:
            repository = self.repository(repository_id, organization_id, repository_name)
            commit = Commit(id=id_, repository=repository, key=key, date_added=date_added, stored=True)
            self.rows.commits_by_id[id_] = commit
            self.await_author(commit, author_id)
        return commit

    def await_author(self, row: Commit | PullRequest, author_id: int | None) -> None:
        """The author of this row is still to be read."""
        if author_id is not None:
            self.authorless.setdefault(author_id, []).append(row)
