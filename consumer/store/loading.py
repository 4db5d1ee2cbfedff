"""Reading a working set: a fixed number of statements, whatever the batch holds.

Order matters: locks first (organizations, then release rows), then what hangs on them, so that what is read
cannot change before the batch commits, or its change is noticed (``Row.xmin``).
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from consumer.codes import (
    GroupStatus,
    LinkedType,
    Relationship,
    ReleaseStatus,
    ResolutionStatus,
    ResolutionType,
)
from consumer.contracts.events import Actor
from consumer.store.database import Cursor, sql
from consumer.store.rows import (
    Author,
    Commit,
    ExternalIssue,
    Group,
    Link,
    LinkTarget,
    LogEntry,
    Organization,
    Project,
    PullRequest,
    Release,
    Repository,
    Resolution,
)
from consumer.store.working_set import FALLBACK_REPOSITORY, WorkingSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from consumer.store.id_supply import IdSupply
    from consumer.store.needs import CommitListNeed, Needs


def load(cursor: Cursor, needs: Needs, ids: IdSupply, now: datetime) -> WorkingSet:
    """Read the working set of a batch; takes the locks that the batch holds to its commit.

    Args:
        cursor: inside the batch's transaction.
        needs: what the events name.
        ids: where ids of new rows come from.
        now: time of the batch, UTC.
    """
    return _Loader(cursor, needs, ids, now).load()


class _Loader:
    def __init__(self, cursor: Cursor, needs: Needs, ids: IdSupply, now: datetime) -> None:
        self._cursor = cursor
        self._needs = needs
        self._ids = ids
        self._rows = WorkingSet(now, ids.next)
        self._repositories_by_id: dict[int, Repository] = {}
        self._projects_by_id: dict[int, Project] = {}
        self._releases_by_id: dict[int, Release] = {}
        self._authors_by_id: dict[int, Author] = {}
        self._authorless: dict[int, list[Commit | PullRequest]] = {}

    def load(self) -> WorkingSet:
        needs = self._needs
        self._lock_organizations()
        self._load_organizations()
        self._load_projects()
        self._load_releases()
        lists = self._changed_lists()
        self._load_repositories(lists)
        self._load_commits(lists)
        late = self._load_referrers()
        self._load_pull_requests(lists, late)
        self._load_releases_of_commits(late)
        self._load_references()
        self._load_groups(lists)
        self._load_authors()
        self._ids.reserve(self._cursor, self._new_rows(lists, needs))
        return self._rows

    def _query(self, name: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run a named statement; every parameter goes as one JSON text. Nothing asked for: nothing sent."""
        if not any(parameters.values()):
            return []
        encoded = {key: orjson.dumps(list(value)).decode() for key, value in parameters.items()}
        self._cursor.execute(sql(name), encoded)
        return self._cursor.fetchall()

    # --- names to rows -------------------------------------------------------------------------------------

    def _lock_organizations(self) -> None:
        locks = sorted((_lock_number(slug), exclusive) for slug, exclusive in self._needs.organizations.items())
        self._query("lock_organizations", locks=[{"lock": lock, "exclusive": exclusive} for lock, exclusive in locks])

    def _load_organizations(self) -> None:
        for id_, slug in self._query("load_organizations", slugs=self._needs.organizations):
            self._rows.organizations[slug] = Organization(id=id_, slug=slug, stored=True)

    def _keys(self, field: str, names: Iterable[tuple[str, ...]]) -> list[dict[str, Any]]:
        """Keys of rows of known organizations; rows of an unknown organization cannot exist."""
        organizations = self._rows.organizations
        return [
            {"organization_id": organizations[slug].id, field: name} for slug, name in names if slug in organizations
        ]

    def _load_projects(self) -> None:
        for id_, organization_id, slug, name, platform, xmin in self._query(
            "load_projects", keys=self._keys("slug", self._needs.projects)
        ):
            project = Project(
                id=id_, organization_id=organization_id, slug=slug, name=name, platform=platform, stored=True, xmin=xmin
            )
            self._rows.projects[organization_id, slug] = self._projects_by_id[id_] = project

    def _load_releases(self) -> None:
        by_id = {organization.id: organization for organization in self._rows.organizations.values()}
        for row in self._query("load_releases", keys=self._keys("version", self._needs.attachments)):
            release = Release(
                id=row[0],
                organization=by_id[row[1]],
                version=row[2],
                status=ReleaseStatus(row[3]),
                ref=row[4],
                url=row[5],
                owner=row[6],
                date_added=row[7],
                date_started=row[8],
                date_released=row[9],
                log_digest=None if row[10] is None else bytes(row[10]),
                log_set_at=row[11],
                stored=True,
            )
            self._rows.releases[row[1], row[2]] = self._releases_by_id[release.id] = release
        self._load_release_projects(self._releases_by_id)

    def _load_release_projects(self, releases: Iterable[int]) -> None:
        for release_id, project_id in self._query("load_release_projects", releases=releases):
            self._releases_by_id[release_id].project_ids[project_id] = True

    # --- commit lists --------------------------------------------------------------------------------------

    def _changed_lists(self) -> list[CommitListNeed]:
        """The commit lists that must be compared in full, after loading the logs of their releases.

        A list whose digest the release already carries changes nothing (SEMANTICS section 6), provided that no
        other event of the batch touches the release's log or one of its commits.
        """
        rows, needs = self._rows, self._needs
        releases: dict[tuple[str, str], Release] = {
            (release.organization.slug, release.version): release for release in rows.releases.values()
        }
        attaching = {
            name for name, release in releases.items() if self._attaches(release, needs.attachments.get(name, set()))
        }
        lists_of = Counter((need.organization, need.version) for need in needs.commit_lists)
        same: list[CommitListNeed] = []
        changed: list[CommitListNeed] = []
        for need in needs.commit_lists:
            name = (need.organization, need.version)
            release = releases.get(name)
            unchanged = (
                release is not None
                and release.log_digest == need.digest
                and lists_of[name] == 1
                and name not in needs.head_commits
                and name not in attaching
            )
            (same if unchanged else changed).append(need)
        touched = {(need.organization, repository, key) for need in changed for repository, key, _ in need.commits}
        while moved := [
            need
            for need in same
            if touched and any((need.organization, name, key) in touched for name, key, _ in need.commits)
        ]:
            same = [need for need in same if need not in moved]
            changed += moved
            touched.update((need.organization, name, key) for need in moved for name, key, _ in need.commits)
        wanted = {(need.organization, need.version) for need in changed} | attaching | set(needs.head_commits)
        self._load_logs([releases[name].id for name in wanted if name in releases])
        return changed

    def _attaches(self, release: Release, projects: set[str]) -> bool:
        """Whether events attach a project that the release does not have yet."""
        for slug in projects:
            project = self._rows.projects.get((release.organization.id, slug))
            if project is None or project.id not in release.project_ids:
                return True
        return False

    def _load_logs(self, releases: Sequence[int]) -> None:
        for release_id in releases:
            self._releases_by_id[release_id].log_known = True
        for release_id, timestamp, *commit in self._query("load_logs", releases=releases):
            self._releases_by_id[release_id].log.append(LogEntry(self._logged_commit(*commit), timestamp))
        for release_id, *commit in self._query("load_heads", releases=releases):
            release = self._releases_by_id[release_id]
            head = self._logged_commit(*commit)
            release.heads[head.repository.id] = head
            release.stored_heads[head.repository.id] = head.id

    def _logged_commit(
        self,
        id_: int,
        repository_id: int,
        key: str,
        author_id: int | None,
        date_added: datetime,
        organization_id: int,
        repository_name: str,
    ) -> Commit:
        commit = self._rows.commits_by_id.get(id_)
        if commit is None:
            repository = self._repository(repository_id, organization_id, repository_name)
            commit = Commit(id=id_, repository=repository, key=key, date_added=date_added, stored=True)
            self._rows.commits_by_id[id_] = commit
            self._await_author(commit, author_id)
        return commit

    def _repository(self, id_: int, organization_id: int, name: str) -> Repository:
        repository = self._repositories_by_id.get(id_)
        if repository is None:
            repository = Repository(id=id_, organization_id=organization_id, name=name, stored=True)
            self._rows.repositories[organization_id, name] = self._repositories_by_id[id_] = repository
        return repository

    def _load_repositories(self, lists: list[CommitListNeed]) -> None:
        names: set[tuple[str, str]] = set()
        wanted = {(need.organization, name) for need in lists for name, _, _ in need.commits}
        for slug, name in wanted | self._needs.repositories:
            organization = self._rows.organizations.get(slug)
            if organization is not None:
                names.add((slug, name or FALLBACK_REPOSITORY.format(id=organization.id)))
        for id_, organization_id, name in self._query("load_repositories", keys=self._keys("name", names)):
            self._repository(id_, organization_id, name)

    def _known_repository(self, slug: str, name: str | None) -> Repository | None:
        organization = self._rows.organizations.get(slug)
        if organization is None:
            return None
        name = name or FALLBACK_REPOSITORY.format(id=organization.id)
        return self._rows.repositories.get((organization.id, name))

    def _commit_keys(self, lists: list[CommitListNeed]) -> tuple[set[tuple[int, str]], set[tuple[int, str]]]:
        """Keys of commits that may exist, as their repository does: all, and those that bring file changes."""
        named = [(need.organization, *commit) for need in lists for commit in need.commits]
        named += [
            (slug, name, key, False) for (slug, _), heads in self._needs.head_commits.items() for name, key in heads
        ]
        keys: set[tuple[int, str]] = set()
        with_files: set[tuple[int, str]] = set()
        for slug, name, key, has_files in named:
            repository = self._known_repository(slug, name)
            if repository is not None:
                keys.add((repository.id, key))
                if has_files:
                    with_files.add((repository.id, key))
        return keys, with_files

    def _load_commits(self, lists: list[CommitListNeed]) -> None:
        keys, with_files = self._commit_keys(lists)
        listed = [{"repository_id": repository_id, "key": key} for repository_id, key in keys]
        file_changes_of = []
        for id_, repository_id, key, author_id, date_added, message, xmin in self._query("load_commits", keys=listed):
            commit = self._rows.commits_by_id.get(id_)
            if commit is None:
                repository = self._repositories_by_id[repository_id]
                commit = Commit(id=id_, repository=repository, key=key, date_added=date_added, stored=True)
                self._rows.commits_by_id[id_] = commit
                self._await_author(commit, author_id)
            commit.message = message
            commit.xmin = xmin
            self._rows.commits[repository_id, key] = commit
            if (repository_id, key) in with_files:
                file_changes_of.append(id_)
        for commit_id, filename in self._query("load_file_changes", commits=file_changes_of):
            self._rows.file_changes[commit_id].add(filename)

    # --- groups, pull requests, and the logs that late ones must be searched in -------------------------------

    def _load_referrers(self) -> list[LinkTarget]:
        """What refers to the short ids of events about groups; returns the commits and pull requests."""
        late: list[LinkTarget] = []
        for organization_id, short_id, linked_type, linked_id in self._query(
            "load_referrers", keys=self._keys("short_id", self._needs.late_groups)
        ):
            target = (LinkedType(linked_type), linked_id)
            self._rows.referrers[organization_id, short_id].add(target)
            late.append(target)
        return late

    def _load_pull_requests(self, lists: list[CommitListNeed], late: list[LinkTarget]) -> None:
        organizations, repositories = self._rows.organizations, self._rows.repositories
        keys = [
            {"repository_id": repositories[organizations[slug].id, name].id, "key": number}
            for slug, name, number in self._needs.pull_requests
            if slug in organizations and (organizations[slug].id, name) in repositories
        ]
        shas = {(need.organization, key) for need in lists for _, key, _ in need.commits}
        shas |= {
            (release.organization.slug, entry.commit.key)
            for release in self._releases_by_id.values()
            for entry in release.log
        }
        for row in self._query(
            "load_pull_requests",
            keys=keys,
            merges=self._keys("sha", shas),
            ids={linked_id for linked_type, linked_id in late if linked_type is LinkedType.PULL_REQUEST},
        ):
            id_, organization_id, repository_id, key, title, message, author_id, sha, repository_name, xmin = row
            pull_request = PullRequest(
                id=id_,
                organization_id=organization_id,
                repository=self._repository(repository_id, organization_id, repository_name),
                key=key,
                title=title,
                message=message,
                merge_commit_sha=sha,
                stored=True,
                xmin=xmin,
            )
            self._await_author(pull_request, author_id)
            self._rows.index_pull_request(pull_request)

    def _load_releases_of_commits(self, late: list[LinkTarget]) -> None:
        """Logs that hold what late groups and pull requests point to."""
        slugs = {organization.id: slug for slug, organization in self._rows.organizations.items()}
        merges = {
            (slugs[pull_request.organization_id], pull_request.merge_commit_sha)
            for pull_request in self._rows.pull_requests.values()
            if (LinkedType.PULL_REQUEST, pull_request.id) in late
        }
        found: set[int] = set()
        for row in self._query(
            "load_releases_of_commits",
            commits={linked_id for linked_type, linked_id in late if linked_type is LinkedType.COMMIT},
            merges=self._keys("sha", merges | self._needs.merges),
        ):
            commit = self._logged_commit(*row[:7])
            organization_id, release_id = row[5], row[7]
            by_key = self._rows.commits_by_key[organization_id, commit.key]
            if commit not in by_key:
                by_key.append(commit)
            if release_id is None:
                continue
            release = self._releases_by_id.get(release_id)
            if release is None:
                release = Release(
                    id=release_id,
                    organization=self._rows.organizations[slugs[organization_id]],
                    version=row[8],
                    date_added=row[9],
                    log_set_at=row[10],
                    stored=True,
                )
                self._releases_by_id[release_id] = release
                found.add(release_id)
            self._rows.releases_of_commit[commit.id].append(release)
        self._load_release_projects(found)

    def _load_references(self) -> None:
        """The short ids that the messages at hand name today."""
        targets: dict[LinkTarget, Commit | PullRequest] = {
            (LinkedType.COMMIT, commit.id): commit for commit in self._rows.commits.values()
        }
        targets |= {(LinkedType.PULL_REQUEST, row.id): row for row in self._rows.pull_requests.values()}
        for linked_type, linked_id, short_id in self._query("load_references", targets=_targets_json(targets)):
            targets[LinkedType(linked_type), linked_id].references.add(short_id)

    def _load_groups(self, lists: list[CommitListNeed]) -> None:
        rows = self._rows
        targets: list[LinkTarget] = [(LinkedType.COMMIT, commit_id) for commit_id in rows.commits_by_id]
        targets += [(LinkedType.PULL_REQUEST, row.id) for row in rows.pull_requests.values()]
        short_ids = self._needs.groups | {
            (need.organization, short_id) for need in lists for short_id in need.references
        }
        group_ids = [
            id_
            for (id_,) in self._query(
                "load_group_ids", targets=_targets_json(targets), keys=self._keys("short_id", short_ids)
            )
        ]
        organizations = {organization.id: organization for organization in rows.organizations.values()}
        by_id: dict[int, Group] = {}
        for row in self._query("load_groups", ids=group_ids):
            group = self._group(row, organizations[row[1]])
            rows.groups[row[1], group.short_id] = by_id[group.id] = group
        issues = set()
        for id_, group_id, linked_type, linked_id, relationship in self._query("load_group_links", ids=group_ids):
            link = Link(id_, Relationship(relationship), stored=True)
            target = (LinkedType(linked_type), linked_id)
            by_id[group_id].links[target] = rows.linked[target][by_id[group_id]] = link
            if target[0] is LinkedType.ISSUE:
                issues.add(linked_id)
        for group_id, release_id, linked_type, linked_id in self._query("load_resolved_by", ids=group_ids):
            by_id[group_id].resolved_by.add((release_id, LinkedType(linked_type), linked_id))
        self._load_external_issues(issues)

    def _group(self, row: tuple[Any, ...], organization: Organization) -> Group:
        project = self._projects_by_id.get(row[2])
        if project is None:
            project = Project(id=row[2], organization_id=row[1], slug=row[10], stored=True)
            self._projects_by_id[row[2]] = project
        resolution = None
        if row[12] is not None:
            actor = None if row[15] is None and row[16] is None else Actor(row[15], row[16])
            resolution = Resolution(
                row[12], row[18], ResolutionType(row[13]), ResolutionStatus(row[14]), actor, row[17]
            )
        return Group(
            id=row[0],
            organization=organization,
            project=project,
            short_id=row[3],
            title=row[4],
            status=GroupStatus(row[5]),
            first_release=row[6],
            resolved_at=row[7],
            date_added=row[8],
            xmin=row[9],
            inbox=row[11],
            resolution=resolution,
            stored=True,
        )

    def _load_external_issues(self, issues: set[int]) -> None:
        organizations = self._rows.organizations
        keys = [
            {"organization_id": organizations[slug].id, "provider": provider, "key": key}
            for slug, provider, key in self._needs.external_issues
            if slug in organizations
        ]
        for id_, organization_id, provider, key, url, xmin in self._query(
            "load_external_issues", ids=issues, keys=keys
        ):
            issue = ExternalIssue(
                id=id_, organization_id=organization_id, provider=provider, key=key, url=url, stored=True, xmin=xmin
            )
            self._rows.external_issues[organization_id, provider, key] = issue
            self._rows.external_issues_by_id[id_] = issue

    # --- authors and ids -----------------------------------------------------------------------------------

    def _await_author(self, row: Commit | PullRequest, author_id: int | None) -> None:
        if author_id is not None:
            self._authorless.setdefault(author_id, []).append(row)

    def _load_authors(self) -> None:
        self._index_authors(self._query("load_authors", keys=self._keys("email", self._needs.authors)))
        missing = [author_id for author_id in self._authorless if author_id not in self._authors_by_id]
        self._index_authors(self._query("load_authors_by_id", ids=missing))
        for author_id, rows in self._authorless.items():
            for row in rows:
                row.author = self._authors_by_id[author_id]

    def _index_authors(self, authors: Iterable[tuple[Any, ...]]) -> None:
        for id_, organization_id, email, name, xmin in authors:
            author = Author(id=id_, organization_id=organization_id, email=email, name=name, stored=True, xmin=xmin)
            self._rows.authors[organization_id, email] = self._authors_by_id[id_] = author

    def _new_rows(self, lists: list[CommitListNeed], needs: Needs) -> dict[str, int]:
        """How many new rows of each table the batch can make, at most."""
        rows = self._rows
        commits = sum(len(need.commits) for need in lists) + sum(map(len, needs.head_commits.values()))
        repositories = {(need.organization, name) for need in lists for name, _, _ in need.commits}
        referrers = sum(map(len, rows.referrers.values()))
        links = sum(need.links for need in lists) + referrers + needs.links
        return {
            "organization": len(needs.organizations) - len(rows.organizations),
            "project": len(needs.projects) - len(rows.projects),
            "release": len(needs.attachments) - len(rows.releases),
            "issue_group": len(needs.late_groups),
            "repository": len(repositories | needs.repositories),
            "commit_author": len(needs.authors),
            "commit": commits,
            "pull_request": len(needs.pull_requests),
            "external_issue": len(needs.external_issues),
            "group_link": links,
        }


def _targets_json(targets: Iterable[LinkTarget]) -> list[dict[str, int]]:
    return [{"linked_type": int(linked_type), "linked_id": linked_id} for linked_type, linked_id in targets]


def _lock_number(slug: str) -> int:
    """A 64-bit advisory lock number for an organization."""
    return int.from_bytes(blake2b(f"organization:{slug}".encode(), digest_size=8).digest(), signed=True)
