"""The commit log of a release (SEMANTICS section 4, ``set_commits`` and ``refs``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from tests.model.authors import author_of, learn_names
from tests.model.state import Author, LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.contracts.events import CommitData, RefData
    from tests.model.state import Commit, Organization, Release

UNDATED = (False, datetime.min.replace(tzinfo=UTC))
"""Sorts below every date that there is."""


@dataclass(frozen=True, slots=True)
class PushedCommit:
    """A commit as an event lists it, in the repository that it belongs to."""

    repository: str
    data: CommitData

    @property
    def key(self) -> tuple[str, str]:
        """What a commit is known by in its organization."""
        return self.repository, self.data.id


def in_repositories(commits: Iterable[CommitData], fallback: str) -> list[PushedCommit]:
    """Put every commit in its repository, the organization's fallback where it names none (section 4.4)."""
    return [PushedCommit(commit.repository or fallback, commit) for commit in commits]


def listed_commits(pushed: Iterable[PushedCommit], ignore_markers: Sequence[str]) -> list[PushedCommit]:
    """Return the commits that count, newest first (sections 4.1, 4.2).

    Undated ones come last; ignored ones go; of repeats of (repository, id) the first stays.
    """
    newest_first = sorted(pushed, key=lambda commit: _age(commit.data.timestamp), reverse=True)
    listed: dict[tuple[str, str], PushedCommit] = {}
    for commit in newest_first:
        if not any(marker in (commit.data.message or "") for marker in ignore_markers):
            listed.setdefault(commit.key, commit)
    return list(listed.values())


def _age(timestamp: datetime | None) -> tuple[bool, datetime]:
    return (True, timestamp) if timestamp else UNDATED


def store_commits(organization: Organization, listed: Sequence[PushedCommit]) -> list[LogEntry]:
    """Create or update the commits of a list, only the fields that are given, and return their log entries (4.4)."""
    learn_names(organization, [commit.data for commit in listed])
    return [LogEntry(_store_commit(organization, commit), commit.data.timestamp) for commit in listed]


def _store_commit(organization: Organization, pushed: PushedCommit) -> Commit:
    commit, data = organization.commit(*pushed.key), pushed.data
    commit.author = author_of(organization, data) or commit.author
    if data.message is not None:
        commit.message = data.message
    if data.timestamp is not None:
        commit.date = data.timestamp
    for path, change in data.patch_set:
        commit.patch_set.setdefault(path, change)
    return commit


def replace_log(release: Release, entries: list[LogEntry]) -> None:
    """Make the entries the whole log; move the heads of their repositories; an empty list removes all heads (4.5)."""
    release.log = entries
    if not entries:
        release.heads.clear()
    _move_heads(release, entries)


def replace_repositories(release: Release, entries: list[LogEntry], repositories: set[str]) -> None:
    """Replace only the commits of some repositories and order the log anew (section 4, ``replace: repositories``).

    Among equal timestamps the new entries come first, unless they are the old ones: then the log stays as it is. A
    named repository that has no commit now has no head.
    """
    kept = [entry for entry in release.log if entry.commit.repository not in repositories]
    if entries != [entry for entry in release.log if entry.commit.repository in repositories]:
        release.log = sorted([*entries, *kept], key=lambda entry: _age(entry.timestamp), reverse=True)
    for repository in repositories:
        release.heads.pop(repository, None)
    _move_heads(release, entries)


def _move_heads(release: Release, newest_first: list[LogEntry]) -> None:
    release.heads.update({entry.commit.repository: entry.commit for entry in reversed(newest_first)})


def unknown_repositories(
    organization: Organization | None, listed: Iterable[PushedCommit], refs: Sequence[RefData]
) -> dict[int, str]:
    """Return by position the repositories of refs that neither the organization has nor the commits will create."""
    known = organization.repositories if organization else set()
    created = {commit.repository for commit in listed}
    return {
        position: ref.repository
        for position, ref in enumerate(refs)
        if ref.repository not in known and ref.repository not in created
    }


def set_refs(organization: Organization, release: Release, refs: Iterable[RefData]) -> None:
    """Set the head commit of each ref's repository, the last ref wins; the log stays (section 4, ``refs``)."""
    for ref in refs:
        release.heads[ref.repository] = organization.commit(ref.repository, ref.commit)


class StoredFields(NamedTuple):
    """The stored fields of a commit, by value."""

    message: str | None
    author: Author | None
    date: datetime | None
    patch_set: dict[str, str]


class Snapshot(NamedTuple):
    """What a set of commits may change; two that are equal mean that there is nothing to announce (section 6)."""

    log: list[Commit]
    heads: dict[str, Commit]
    stored: list[StoredFields | None]


def snapshot(organization: Organization, release: Release, listed: Iterable[PushedCommit]) -> Snapshot:
    """Remember the log and heads of a release and the stored fields of the listed commits."""
    stored = [organization.commits.get(commit.key) for commit in listed]
    return Snapshot(release.commits, dict(release.heads), [_stored_fields(commit) for commit in stored])


def _stored_fields(commit: Commit | None) -> StoredFields | None:
    return StoredFields(commit.message, commit.author, commit.date, dict(commit.patch_set)) if commit else None
