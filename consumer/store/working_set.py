"""The working set: the rows that one batch reads, changes in memory and writes back.

Handlers apply events one after the other to this set, so every event sees what the events before it did; the
database sees the sum, in a fixed number of statements (``store.loading``, ``store.saving``).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from consumer.store.rows import (
    Author,
    Commit,
    Deploy,
    Environment,
    ExternalIssue,
    Group,
    HistoryEntry,
    Link,
    LinkTarget,
    Organization,
    Project,
    PullRequest,
    Release,
    Repository,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from consumer.codes import LinkedType, Relationship

_TICK = timedelta(microseconds=1)

FALLBACK_REPOSITORY = "organization-{id}"
"""Name of the repository of commits that name none (SEMANTICS 4.4)."""


@dataclass(slots=True, eq=False)
class Fact:
    """An activity: something that happened, to be kept and announced (SEMANTICS section 7).

    Args:
        id: deterministic id, a UUID, the same whenever the same event does the same thing.
        type: such as ``activity.group.resolved``.
        key: record key on the activity topic.
        subject: CloudEvents subject: the version or the short id.
        cause_id: id of the event that caused it.
        cause_source: source of that event.
    """

    id: str
    type: str
    key: str
    subject: str
    data: dict[str, Any]
    date: datetime
    cause_id: str
    cause_source: str
    organization_id: int
    release_id: int | None = None
    group_id: int | None = None


class WorkingSet:
    """Rows by their natural keys, and what happened to them; authors by organization, commits by repository.

    Args:
        now: time of the batch, UTC.
        next_id: gives a new id for a row of the named table.
    """

    def __init__(self, now: datetime, next_id: Callable[[str], int]) -> None:
        self._now = now
        self._next_id = next_id
        self.organizations: dict[str, Organization] = {}
        self.projects: dict[tuple[int, str], Project] = {}
        self.environments: dict[tuple[int, str], Environment] = {}
        self.releases: dict[tuple[int, str], Release] = {}
        self.deleted_releases: list[Release] = []
        self.next_releases: dict[tuple[int, str, str], tuple[int, str]] = {}
        self.seen_environments: dict[tuple[int, int, int], tuple[Release, Deploy]] = {}
        self.repositories: dict[tuple[int, str], Repository] = {}
        self.authors: dict[int, dict[str, Author]] = defaultdict(dict)
        self.commits: dict[int, dict[str, Commit]] = defaultdict(dict)
        self.commits_by_id: dict[int, Commit] = {}
        self.file_changes: dict[int, set[str]] = defaultdict(set)
        self.new_file_changes: list[tuple[int, str, str]] = []
        self.pull_requests: dict[tuple[int, str], PullRequest] = {}
        self.pull_requests_by_merge: dict[tuple[int, str], list[PullRequest]] = defaultdict(list)
        self.pull_requests_by_id: dict[int, PullRequest] = {}
        self.groups: dict[tuple[int, str], Group] = {}
        self._groups_of: dict[int, list[Group]] = defaultdict(list)
        self.external_issues: dict[tuple[int, str, str], ExternalIssue] = {}
        self.external_issues_by_id: dict[int, ExternalIssue] = {}
        self.linked: dict[LinkTarget, dict[Group, Link]] = defaultdict(dict)
        self.referrers: dict[tuple[int, str], set[LinkTarget]] = defaultdict(set)
        self.releases_of_commit: dict[int, list[Release]] = defaultdict(list)
        self.commits_by_key: dict[tuple[int, str], list[Commit]] = defaultdict(list)
        self.references_changed: dict[LinkTarget, tuple[int, frozenset[str], frozenset[str]]] = {}
        self.links_removed: list[int] = []
        self.resolved_by_added: list[tuple[int, int, LinkedType, int]] = []
        self.history: list[HistoryEntry] = []
        self.facts: list[Fact] = []
        self.ordinal = 0
        self.is_replaying = False
        self.changed_commits: list[Commit] = []
        self.has_overtaken_logs = False

    def tick(self) -> datetime:
        """The time of the batch; later with every call, so that what happened keeps its order."""
        self._now += _TICK
        return self._now

    def modify(self, commit: Commit) -> None:
        """A field of a commit changes: releases whose log was set before can no longer trust their digest."""
        if commit.stored and not commit.changed:
            self.changed_commits.append(commit)
        # A commit that this very event made is in no log that was set before.
        self.has_overtaken_logs = self.has_overtaken_logs or commit.modified_by != self.ordinal
        commit.changed = True
        commit.modified_by = self.ordinal

    @property
    def modified_stored_commits(self) -> bool:
        """Whether a commit changes that other releases may hold."""
        return bool(self.changed_commits)

    # --- get or create -------------------------------------------------------------------------------------

    def organization(self, slug: str) -> Organization:
        """The organization of that slug."""
        row = self.organizations.get(slug)
        if row is None:
            row = self.organizations[slug] = Organization(id=self._next_id("organization"), slug=slug)
        return row

    def project(self, organization: Organization, slug: str) -> Project:
        """The project of that slug."""
        key = (organization.id, slug)
        row = self.projects.get(key)
        if row is None:
            row = Project(id=self._next_id("project"), organization_id=organization.id, slug=slug)
            self.projects[key] = row
        return row

    def release(self, organization: Organization, version: str) -> tuple[Release, bool]:
        """The release and whether it was created just now."""
        key = (organization.id, version)
        row = self.releases.get(key)
        if row is not None:
            return row, False
        row = Release(
            id=self._next_id("release"),
            organization=organization,
            version=version,
            date_added=self.tick(),
            log_known=True,
        )
        self.releases[key] = row
        return row, True

    def delete_release(self, release: Release) -> None:
        """Remove a release with its log, heads, projects and deploys; its version may be created anew."""
        del self.releases[release.organization.id, release.version]
        if release.stored:
            self.deleted_releases.append(release)
        self.seen_environments = {key: seen for key, seen in self.seen_environments.items() if key[0] != release.id}
        self.resolved_by_added = [added for added in self.resolved_by_added if added[1] != release.id]

    def groups_of(self, organization: Organization) -> Collection[Group]:
        """The groups of an organization that are at hand."""
        return self._groups_of[organization.id]

    def environment(self, organization: Organization, name: str) -> Environment:
        """The environment of that name."""
        key = (organization.id, name)
        row = self.environments.get(key)
        if row is None:
            row = Environment(id=self._next_id("environment"), organization_id=organization.id, name=name)
            self.environments[key] = row
        return row

    def deploy(
        self,
        release: Release,
        environment: Environment,
        *,
        name: str | None,
        url: str | None,
        date_started: datetime | None,
        date_finished: datetime | None,
    ) -> tuple[Deploy, bool]:
        """The deploy, and whether it is new: one with the same end may be known. Without an end it ended now.

        One that a forced replay brings again without an end is the one that ended when it first came.
        """
        told = (environment, name, url, date_started)
        for known in release.deploys:
            if told == (known.environment, known.name, known.url, known.date_started) and (
                known.date_finished == date_finished or (self.is_replaying and date_finished is None)
            ):
                return known, False
        row = Deploy(
            id=self._next_id("deploy"),
            environment=environment,
            name=name,
            url=url,
            date_started=date_started,
            date_finished=date_finished or self.tick(),
        )
        release.deploys.append(row)
        release.changed = True
        return row, True

    def see_in_environment(self, release: Release, project: Project, deploy: Deploy) -> None:
        """The release of a project was seen in the environment of a deploy."""
        deploy.project_ids.append(project.id)
        deploy.changed = True
        self.seen_environments[release.id, project.id, deploy.environment.id] = (release, deploy)

    def find_release(self, version_key: str) -> Release | None:
        """The release of a version key ``organization:version``, if it exists."""
        slug, _, version = version_key.partition(":")
        organization = self.organizations.get(slug)
        return self.releases.get((organization.id, version)) if organization else None

    def repository(self, organization: Organization, name: str | None) -> Repository:
        """The repository of that name; the organization's fallback where there is none (SEMANTICS 4.4)."""
        row = self.find_repository(organization, name)
        if row is None:
            name = name or FALLBACK_REPOSITORY.format(id=organization.id)
            row = Repository(id=self._next_id("repository"), organization_id=organization.id, name=name)
            self.repositories[organization.id, name] = row
        return row

    def find_repository(self, organization: Organization, name: str | None) -> Repository | None:
        """The repository of that name, or the fallback, if it exists."""
        return self.repositories.get((organization.id, name or FALLBACK_REPOSITORY.format(id=organization.id)))

    def author(self, organization: Organization, email: str) -> Author:
        """The author of that address, lower-cased by the caller."""
        known = self.authors[organization.id]
        row = known.get(email)
        if row is None:
            row = known[email] = Author(id=self._next_id("commit_author"), organization_id=organization.id, email=email)
        return row

    def commit(self, repository: Repository, commit_key: str) -> tuple[Commit, bool]:
        """The commit and whether it was created just now."""
        known = self.commits[repository.id]
        row = known.get(commit_key)
        if row is not None:
            return row, False
        return self.new_commit(repository, commit_key, None, None, None), True

    def new_commit(
        self, repository: Repository, commit_key: str, date: datetime | None, message: str | None, author: Author | None
    ) -> Commit:
        """A commit that is not known; one without a date gets the time of the batch."""
        id_ = self._next_id("commit")
        row = Commit(repository, commit_key, date or self._now, message, author, self.ordinal, id=id_)
        self.commits[repository.id][commit_key] = row
        return row

    def pull_request(self, repository: Repository, number: str, merge_commit_sha: str) -> tuple[PullRequest, bool]:
        """The pull request and whether it was created just now; it is found by its merge commit from now on."""
        key = (repository.id, number)
        row = self.pull_requests.get(key)
        if row is None:
            row = PullRequest(
                id=self._next_id("pull_request"),
                organization_id=repository.organization_id,
                repository=repository,
                key=number,
                merge_commit_sha=merge_commit_sha,
            )
            self.index_pull_request(row)
            return row, True
        if row.merge_commit_sha != merge_commit_sha:
            self.pull_requests_by_merge[row.organization_id, row.merge_commit_sha].remove(row)
            self.pull_requests_by_merge[row.organization_id, merge_commit_sha].append(row)
            row.merge_commit_sha = merge_commit_sha
            row.changed = True
        return row, False

    def index_pull_request(self, row: PullRequest) -> None:
        """Make a pull request findable: by number, by id, by its merge commit."""
        self.pull_requests[row.repository.id, row.key] = row
        self.pull_requests_by_id[row.id] = row
        self.pull_requests_by_merge[row.organization_id, row.merge_commit_sha].append(row)

    def group(self, organization: Organization, project: Project, short_id: str) -> tuple[Group, bool]:
        """The group and whether it was created just now."""
        key = (organization.id, short_id)
        row = self.groups.get(key)
        if row is not None:
            return row, False
        row = Group(
            id=self._next_id("issue_group"),
            organization=organization,
            project=project,
            short_id=short_id,
            date_added=self.tick(),
        )
        self.index_group(row)
        return row, True

    def index_group(self, row: Group) -> None:
        """Make a group findable: by short id, by organization."""
        self.groups[row.organization.id, row.short_id] = row
        self._groups_of[row.organization.id].append(row)

    def external_issue(self, organization: Organization, provider: str, issue_key: str) -> ExternalIssue:
        """The external issue of that provider and key."""
        key = (organization.id, provider, issue_key)
        row = self.external_issues.get(key)
        if row is None:
            row = ExternalIssue(
                id=self._next_id("external_issue"), organization_id=organization.id, provider=provider, key=issue_key
            )
            self.external_issues[key] = self.external_issues_by_id[row.id] = row
        return row

    # --- links and references ------------------------------------------------------------------------------

    def link(self, group: Group, target: LinkTarget, relationship: Relationship) -> None:
        """Link a group to a commit, pull request or external issue; an existing link stays as it is."""
        if target in group.links:
            return
        link = Link(id=self._next_id("group_link"), relationship=relationship)
        group.links[target] = self.linked[target][group] = link
        group.changed = True

    def unlink(self, group: Group, target: LinkTarget) -> None:
        """Remove a link."""
        link = group.links.pop(target)
        del self.linked[target][group]
        group.changed = True
        if link.stored:
            self.links_removed.append(link.id)

    def refer(self, organization_id: int, target: LinkTarget, before: frozenset[str], after: frozenset[str]) -> None:
        """The message of a commit or pull request names other short ids than before."""
        stored = self.references_changed[target][1] if target in self.references_changed else before
        self.references_changed[target] = (organization_id, stored, after)
        for short_id in before - after:
            self.referrers[organization_id, short_id].discard(target)
        for short_id in after - before:
            self.referrers[organization_id, short_id].add(target)

    def groups_linked(self, target: LinkTarget) -> Iterable[tuple[Group, Link]]:
        """The groups that a commit, pull request or external issue is linked to."""
        links = self.linked.get(target)
        return links.items() if links else ()
