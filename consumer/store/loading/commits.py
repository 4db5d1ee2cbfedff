"""Reading repositories, commits and authors."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from consumer.store.rows import Author, Commit, Repository
from consumer.store.working_set import FALLBACK_REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.store.loading.session import Session
    from consumer.store.needs import CommitListNeed

_NONE: frozenset[str] = frozenset()


def load_repositories(session: Session, lists: list[CommitListNeed]) -> None:
    """The repositories that events name."""
    names: set[tuple[str, str]] = set()
    wanted = {(need.organization, name) for need in lists for name in need.keys}
    for slug, name in wanted | session.needs.repositories:
        organization = session.rows.organizations.get(slug)
        if organization is not None:
            names.add((slug, name or FALLBACK_REPOSITORY.format(id=organization.id)))
    for id_, organization_id, name in session.query("load_repositories", keys=session.keys("name", names)):
        session.repository(id_, organization_id, name)


def _known_repository(session: Session, slug: str, name: str | None) -> Repository | None:
    organization = session.rows.organizations.get(slug)
    if organization is None:
        return None
    name = name or FALLBACK_REPOSITORY.format(id=organization.id)
    return session.rows.repositories.get((organization.id, name))


def _commit_keys(session: Session, lists: list[CommitListNeed]) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """Keys of commits that may exist, as their repository does: all, and those that bring file changes.

    By the ids of the repositories.
    """
    all_keys: defaultdict[int, set[str]] = defaultdict(set)
    with_files: defaultdict[int, set[str]] = defaultdict(set)
    for need in lists:
        for name, keys in need.keys.items():
            repository = _known_repository(session, need.organization, name)
            if repository is not None:
                all_keys[repository.id] |= keys
                with_files[repository.id] |= need.with_files.get(name, _NONE)
    for (slug, _), heads in session.needs.head_commits.items():
        for name, key in heads:
            repository = _known_repository(session, slug, name)
            if repository is not None:
                all_keys[repository.id].add(key)
    return all_keys, with_files


def load_commits(session: Session, lists: list[CommitListNeed]) -> None:
    """The commits that lists and refs name, with their file changes where the event brings some."""
    keys, with_files = _commit_keys(session, lists)
    listed = [{"repository_id": repository_id, "keys": list(named)} for repository_id, named in keys.items()]
    file_changes_of = []
    for id_, repository_id, key, author_id, date_added, message, xmin in session.query("load_commits", keys=listed):
        commit = session.rows.commits_by_id.get(id_)
        if commit is None:
            repository = session.repositories_by_id[repository_id]
            commit = Commit(id=id_, repository=repository, key=key, date_added=date_added, stored=True)
            session.rows.commits_by_id[id_] = commit
            session.await_author(commit, author_id)
        commit.message = message
        commit.xmin = xmin
        session.rows.commits[repository_id][key] = commit
        if key in with_files[repository_id]:
            file_changes_of.append(id_)
    for commit_id, filename in session.query("load_file_changes", commits=file_changes_of):
        session.rows.file_changes[commit_id].add(filename)


def load_authors(session: Session) -> None:
    """The authors that events name, and those of all rows read so far."""
    _index_authors(session, session.query("load_authors", keys=session.grouped_keys("emails", session.needs.authors)))
    missing = [author_id for author_id in session.authorless if author_id not in session.authors_by_id]
    _index_authors(session, session.query("load_authors_by_id", ids=missing))
    for author_id, rows in session.authorless.items():
        for row in rows:
            row.author = session.authors_by_id[author_id]


def _index_authors(session: Session, authors: Iterable[tuple[Any, ...]]) -> None:
    for id_, organization_id, email, name, xmin in authors:
        author = Author(id=id_, organization_id=organization_id, email=email, name=name, stored=True, xmin=xmin)
        session.rows.authors[organization_id][email] = session.authors_by_id[id_] = author
