"""What a batch needs to read before its events can be applied: names only, gathered by the handlers."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class CommitListNeed:
    """A commit list that an event sets: the release, the digest of the list, and what it names.

    ``keys`` are those of the commits, by name of their repository or ``None``, and ``with_files`` those of commits that
    carry file changes; ``references`` are the short ids that their messages name, ``links`` how often.
    """

    organization: str
    version: str
    digest: bytes
    keys: dict[str | None, set[str]]
    with_files: dict[str | None, set[str]]
    references: set[str]
    links: int


@dataclass(slots=True)
class Needs:
    """Names of rows, by organization slug. A repository name of ``None`` is the organization's fallback.

    Attributes:
        organizations: slug -> whether a catalog event of it is in the batch.
        authors: addresses of authors, in lower case, by organization.
        attachments: (organization, version) -> project slugs that events attach.
        late_groups: groups that events may create or move, so that logs must be searched for references to them.
        merges: merge commits of pull requests that events bring.
        links: how many links the catalog events can make, at most.
        deploys: (organization, version) of releases that are deployed; ``deploy_count`` is how often.
        deletions: (organization, version) of releases that are deleted; ``deletion_count`` is how often.
        successors: (organization, short id) of groups -> projects that events put them in, and versions that events
            make them pending on: the successor of such a version in such a project settles them.
        avatars: organizations whose details are saved.
        trusts_digests: whether a list whose digest the release carries is taken for set; a forced replay sets it again.
    """

    organizations: dict[str, bool] = field(default_factory=dict)
    projects: set[tuple[str, str]] = field(default_factory=set)
    attachments: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    repositories: set[tuple[str, str | None]] = field(default_factory=set)
    authors: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    commit_lists: list[CommitListNeed] = field(default_factory=list)
    head_commits: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)
    groups: set[tuple[str, str]] = field(default_factory=set)
    late_groups: set[tuple[str, str]] = field(default_factory=set)
    pull_requests: set[tuple[str, str, str]] = field(default_factory=set)
    merges: set[tuple[str, str]] = field(default_factory=set)
    external_issues: set[tuple[str, str, str]] = field(default_factory=set)
    links: int = 0
    environments: set[tuple[str, str]] = field(default_factory=set)
    deploys: set[tuple[str, str]] = field(default_factory=set)
    deploy_count: int = 0
    deletions: set[tuple[str, str]] = field(default_factory=set)
    deletion_count: int = 0
    successors: dict[tuple[str, str], tuple[set[str], set[str]]] = field(default_factory=dict)
    avatars: set[str] = field(default_factory=set)
    trusts_digests: bool = True

    @property
    def references(self) -> int:
        """How often messages of commits name a group."""
        return sum(commits.links for commits in self.commit_lists)

    def organization(self, slug: str, *, catalog: bool) -> None:
        """An event of this organization is in the batch."""
        self.organizations[slug] = self.organizations.get(slug, False) or catalog

    def release(self, organization: str, version: str, projects: list[str]) -> None:
        """An event of this release is in the batch, and attaches these projects."""
        self.organization(organization, catalog=False)
        self.attachments.setdefault((organization, version), set()).update(projects)
        self.projects.update((organization, project) for project in projects)
