"""``set_commits``: binding a list of commits to a release (SEMANTICS section 4)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from hashlib import blake2b
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, TypeVar

import orjson

from consumer.codes import LinkedType, Relationship
from consumer.contracts.events import CommitData
from consumer.handlers.authors import author_email
from consumer.handlers.references import find_references
from consumer.store.needs import CommitListNeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from consumer.contracts.events import Replace
    from consumer.store.rows import Author, Commit, Group, LinkTarget, LogEntry, Organization, Release, Repository
    from consumer.store.working_set import WorkingSet

T = TypeVar("T")

_FIELDS = attrgetter(*(field.name for field in fields(CommitData)))


@dataclass(slots=True)
class CommitList:
    """A commit list, newest first, without ignored commits and repeats.

    What is left of repeats: a commit without repository may be one of the fallback repository given by name.

    ``emails`` and ``references`` go with ``commits``, place by place: what identifies the author of each, in the
    spelling given, and the short ids that its message names, ``None`` where it has no message. ``keys`` are the ids of
    the commits by repository, ``with_files`` of those with file changes; ``repositories`` are those of all commits,
    ignored ones included; ``digest`` tells equal lists.
    """

    commits: list[CommitData]
    emails: list[str | None]
    references: list[frozenset[str] | None]
    keys: dict[str | None, set[str]]
    with_files: dict[str | None, set[str]]
    repositories: set[str | None]
    replace: Replace
    digest: bytes

    def people(self) -> Iterable[tuple[str | None, str | None]]:
        """Address and name of the authors, in order, each pair once."""
        return dict.fromkeys(zip(self.emails, [data.author_name for data in self.commits], strict=True))

    def need(self, organization: str, version: str) -> CommitListNeed:
        """What must be read before this list can be set."""
        references = [named for named in self.references if named]
        return CommitListNeed(
            organization=organization,
            version=version,
            digest=self.digest,
            keys=self.keys,
            with_files=self.with_files,
            references=set().union(*references),
            links=sum(map(len, references)),
        )


def plan_commits(commits: Sequence[CommitData], replace: Replace, ignore_markers: Iterable[str]) -> CommitList:
    """Order a commit list and drop what is ignored (SEMANTICS section 4, steps 1 and 2).

    Args:
        commits: as the event lists them.
        replace: whether the list replaces the whole log or only the commits of its repositories.
        ignore_markers: a commit whose message contains one is dropped.
    """
    kept = list(commits)
    for marker in ignore_markers:
        kept = [data for data in kept if not data.message or marker not in data.message]
    kept = _newest_first(kept, attrgetter("timestamp"))
    listed: list[CommitData] = []
    keys: defaultdict[str | None, set[str]] = defaultdict(set)
    with_files: defaultdict[str | None, set[str]] = defaultdict(set)
    for data in kept:
        known = keys[data.repository]
        if data.id not in known:
            known.add(data.id)
            listed.append(data)
            if data.patch_set:
                with_files[data.repository].add(data.id)
    repositories = {data.repository for data in commits}
    scope = sorted(name or "" for name in repositories) if replace == "repositories" else None
    return CommitList(
        commits=listed,
        emails=[author_email(data.author_email, data.author_name) for data in listed],
        references=[None if data.message is None else find_references(data.message) for data in listed],
        keys=keys,
        with_files=with_files,
        repositories=repositories,
        replace=replace,
        digest=blake2b(orjson.dumps([replace, scope, list(map(_FIELDS, listed))]), digest_size=16).digest(),
    )


def _newest_first(items: Iterable[T], timestamp: Callable[[T], datetime | None]) -> list[T]:
    """By timestamp, those without one last; equal ones, and those without, stay in their order (SEMANTICS 4.1)."""
    dated: list[T] = []
    undated: list[T] = []
    for item in items:
        (undated if timestamp(item) is None else dated).append(item)
    dated.sort(key=timestamp, reverse=True)  # type: ignore[arg-type]  # all have one
    return dated + undated


@dataclass(slots=True)
class LogChange:
    """What setting a log did.

    ``changed`` is about the log and its commits, not about heads, which refs may yet put back; ``unlinked`` are the
    links that messages no longer name.
    """

    changed: bool
    unlinked: list[tuple[Group, LinkTarget]]


def set_commits(rows: WorkingSet, release: Release, commits: CommitList) -> LogChange:
    """Replace the commit log of a release; all or nothing happens when the batch commits.

    Args:
        rows: holds the release's log and every listed commit that exists.
        release: the release; its row is locked.
        commits: the planned list.
    """
    return _LogSetter(rows, release, commits).set_log()


class _LogSetter:
    def __init__(self, rows: WorkingSet, release: Release, commits: CommitList) -> None:
        self._rows = rows
        self._release = release
        self._organization: Organization = release.organization
        self._list = commits
        self._named: set[str] = set()
        self._heads: dict[int, Commit] = {}
        self._changed = False
        self._unlinked: list[tuple[Group, LinkTarget]] = []

    def set_log(self) -> LogChange:
        if not self._release.log_known:
            # The digest says that the log is this very list: only names of authors may have changed meanwhile.
            for email, name in self._list.people():
                self._author(email, name)
            return LogChange(changed=False, unlinked=[])
        listed = self._write_commits()
        self._replace_log(listed)
        moved = self._move_heads()
        release = self._release
        release.log_digest = self._list.digest
        if self._changed or moved:
            release.log_set_at = self._rows.tick()
        release.log_set_by = self._rows.ordinal
        release.changed = True
        return LogChange(changed=self._changed, unlinked=self._unlinked)

    def _write_commits(self) -> list[LogEntry]:
        rows, planned = self._rows, self._list
        repositories: dict[str | None, tuple[Repository, dict[str, Commit]]] = {}
        authors: dict[tuple[str | None, str | None], Author | None] = {}
        listed: dict[Commit, datetime | None] = {}
        for data, email, references in zip(planned.commits, planned.emails, planned.references, strict=True):
            if data.repository not in repositories:
                repository = rows.repository(self._organization, data.repository)
                repositories[data.repository] = repository, rows.commits[repository.id]
            repository, commits = repositories[data.repository]
            commit = commits.get(data.id)
            if commit in listed:
                continue  # a repeat: the first wins
            person = email, data.author_name
            if person not in authors:
                authors[person] = self._author(*person)
            if commit is None:
                commit = rows.new_commit(repository, data.id, data.timestamp, data.message, authors[person])
                if references:
                    self._refer(commit, references)
                self._changed = True
            else:
                self._update_commit(commit, data, authors[person], references)
            listed[commit] = data.timestamp
            self._heads.setdefault(repository.id, commit)
            if data.patch_set:
                self._add_file_changes(commit, data.patch_set)
        return list(listed.items())

    def _update_commit(
        self, commit: Commit, data: CommitData, author: Author | None, references: frozenset[str] | None
    ) -> None:
        """Write the fields that are given; unchanged rows stay unwritten (SEMANTICS section 4, step 4)."""
        timestamp, message = data.timestamp, data.message
        modified = False
        if author is not None and commit.author is not author:
            commit.author = author
            modified = True
        if timestamp is not None and commit.date_added != timestamp:
            commit.date_added = timestamp
            modified = True
        if message is not None and commit.message != message:
            commit.message = message
            modified = True
        if references is not None and commit.references != references:
            self._refer(commit, references)
        if modified:
            self._changed = True
            self._rows.modify(commit)

    def _author(self, email: str | None, name: str | None) -> Author | None:
        """The author of a commit. Per spelling of an address, the first name given in the list counts."""
        if email is None:
            return None
        author = self._rows.author(self._organization, email.lower())
        if name is not None and email not in self._named:
            self._named.add(email)
            if author.name != name:
                author.name = name
                author.changed = True
        return author

    def _refer(self, commit: Commit, references: frozenset[str]) -> None:
        """The message names other short ids than before (SEMANTICS 5.1)."""
        target = (LinkedType.COMMIT, commit.id)
        self._rows.commits_by_id[commit.id] = commit
        self._unlinked += change_references(self._rows, self._organization.id, target, commit.references, references)
        commit.references = references

    def _add_file_changes(self, commit: Commit, patch_set: list[tuple[str, str]]) -> None:
        known = self._rows.file_changes[commit.id]
        for path, type_ in patch_set:
            if path not in known:
                known.add(path)
                self._rows.new_file_changes.append((commit.id, path, type_))
                self._changed = True

    def _replace_log(self, listed: list[LogEntry]) -> None:
        release = self._release
        log = listed
        if self._list.replace == "repositories":
            named = self._named_repositories()
            kept: list[LogEntry] = []
            replaced: list[LogEntry] = []
            for entry in release.log:
                (replaced if entry[0].repository.id in named else kept).append(entry)
            # The same list again changes nothing, not even the order of what has one timestamp.
            log = release.log if replaced == listed else _newest_first(listed + kept, itemgetter(1))
        before = release.log
        if before != log:
            release.log_changed = True
            release.log = log
            self._changed = self._changed or [commit for commit, _ in before] != [commit for commit, _ in log]

    def _named_repositories(self) -> set[int]:
        """Those that exist: none is made for commits that are all ignored."""
        found = (self._rows.find_repository(self._organization, name) for name in self._list.repositories)
        return {repository.id for repository in found if repository is not None}

    def _move_heads(self) -> bool:
        """Every listed repository gets its newest commit as head; says whether a head moved."""
        release = self._release
        before = dict(release.heads)
        if self._list.replace == "repositories":
            for repository_id in self._named_repositories():
                release.heads.pop(repository_id, None)
        elif not release.log:
            release.heads.clear()
        release.heads.update(self._heads)
        return before != release.heads


def change_references(
    rows: WorkingSet, organization_id: int, target: LinkTarget, before: frozenset[str], after: frozenset[str]
) -> list[tuple[Group, LinkTarget]]:
    """Follow a message that names other short ids than before: links to known groups come and go.

    Returns:
        the links that are gone.
    """
    rows.refer(organization_id, target, before, after)
    gone = []
    for short_id in sorted(before - after):
        group = rows.groups.get((organization_id, short_id))
        if group is not None and target in group.links:
            rows.unlink(group, target)
            gone.append((group, target))
    for short_id in sorted(after - before):
        group = rows.groups.get((organization_id, short_id))
        if group is not None:
            rows.link(group, target, Relationship.RESOLVES)
    return gone
