"""Reading groups, pull requests, and the logs that late ones must be searched in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from consumer.codes import GroupStatus, LinkedType, Relationship, ResolutionStatus, ResolutionType
from consumer.contracts.events import Actor
from consumer.store.loading.releases import deleted_releases, load_release_projects
from consumer.store.rows import (
    ExternalIssue,
    Group,
    Link,
    LinkTarget,
    Organization,
    PullRequest,
    Release,
    Resolution,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.store.loading.session import Session
    from consumer.store.needs import CommitListNeed


def load_referrers(session: Session) -> list[LinkTarget]:
    """What refers to the short ids of events about groups; returns the commits and pull requests."""
    late: list[LinkTarget] = []
    for organization_id, short_id, linked_type, linked_id in session.query(
        "load_referrers", keys=session.keys("short_id", session.needs.late_groups)
    ):
        target = (LinkedType(linked_type), linked_id)
        session.rows.referrers[organization_id, short_id].add(target)
        late.append(target)
    return late


def load_pull_requests(session: Session, lists: list[CommitListNeed], late: list[LinkTarget]) -> None:
    """Pull requests that events bring, whose merge commit is in a list or log, or that late groups are named by."""
    organizations, repositories = session.rows.organizations, session.rows.repositories
    keys = [
        {"repository_id": repositories[organizations[slug].id, name].id, "key": number}
        for slug, name, number in session.needs.pull_requests
        if slug in organizations and (organizations[slug].id, name) in repositories
    ]
    shas: defaultdict[str, set[str]] = defaultdict(set)
    for need in lists:
        shas[need.organization].update(*need.keys.values())
    for release in session.releases_by_id.values():
        shas[release.organization.slug].update([commit.key for commit, _ in release.log])
    for row in session.query(
        "load_pull_requests",
        keys=keys,
        merges=session.grouped_keys("shas", shas),
        ids={linked_id for linked_type, linked_id in late if linked_type is LinkedType.PULL_REQUEST},
    ):
        id_, organization_id, repository_id, key, title, message, author_id, sha, repository_name, xmin = row
        pull_request = PullRequest(
            id=id_,
            organization_id=organization_id,
            repository=session.repository(repository_id, organization_id, repository_name),
            key=key,
            title=title,
            message=message,
            merge_commit_sha=sha,
            stored=True,
            xmin=xmin,
        )
        session.await_author(pull_request, author_id)
        session.rows.index_pull_request(pull_request)


def load_releases_of_commits(session: Session, late: list[LinkTarget]) -> None:
    """Logs that hold what late groups and pull requests point to."""
    slugs = {organization.id: slug for slug, organization in session.rows.organizations.items()}
    merges = {
        (slugs[pull_request.organization_id], pull_request.merge_commit_sha)
        for pull_request in session.rows.pull_requests.values()
        if (LinkedType.PULL_REQUEST, pull_request.id) in late
    }
    found: set[int] = set()
    for row in session.query(
        "load_releases_of_commits",
        commits={linked_id for linked_type, linked_id in late if linked_type is LinkedType.COMMIT},
        merges=session.keys("sha", merges | session.needs.merges),
    ):
        commit = session.logged_commit(*row[:7])
        organization_id, release_id = row[5], row[7]
        by_key = session.rows.commits_by_key[organization_id, commit.key]
        if commit not in by_key:
            by_key.append(commit)
        if release_id is None:
            continue
        release = session.releases_by_id.get(release_id)
        if release is None:
            release = Release(
                id=release_id,
                organization=session.rows.organizations[slugs[organization_id]],
                version=row[8],
                date_added=row[9],
                log_set_at=row[10],
                stored=True,
            )
            session.releases_by_id[release_id] = release
            found.add(release_id)
        session.rows.releases_of_commit[commit.id].append(release)
    load_release_projects(session, found)


def load_references(session: Session) -> None:
    """The short ids that the messages at hand name today."""
    commits = {commit.id: commit for known in session.rows.commits.values() for commit in known.values()}
    pull_requests = session.rows.pull_requests_by_id
    for linked_type, linked_id, short_id in session.query("load_references", targets=_targets(commits, pull_requests)):
        row = commits[linked_id] if linked_type == LinkedType.COMMIT else pull_requests[linked_id]
        row.references |= {short_id}


def load_groups(session: Session, lists: list[CommitListNeed]) -> None:
    """Groups that are named or linked, that wait for a release, or that a deleted release concerns; with all parts."""
    rows = session.rows
    short_ids: defaultdict[str, set[str]] = defaultdict(set)
    for slug, short_id in session.needs.groups:
        short_ids[slug].add(short_id)
    for need in lists:
        short_ids[need.organization] |= need.references
    found = session.query(
        "load_group_ids",
        targets=_targets(rows.commits_by_id, rows.pull_requests_by_id),
        keys=session.grouped_keys("short_ids", short_ids),
    )
    group_ids = {id_ for (id_,) in found}
    group_ids |= _pending_groups(session) | _groups_of_deleted(session)
    organizations = {organization.id: organization for organization in rows.organizations.values()}
    by_id = session.groups_by_id
    for row in session.query("load_groups", ids=group_ids):
        group = _group(session, row, organizations[row[1]])
        by_id[group.id] = group
        rows.index_group(group)
    issues = set()
    for id_, group_id, linked_type, linked_id, relationship in session.query("load_group_links", ids=group_ids):
        link = Link(id_, Relationship(relationship), stored=True)
        target = (LinkedType(linked_type), linked_id)
        by_id[group_id].links[target] = rows.linked[target][by_id[group_id]] = link
        if target[0] is LinkedType.ISSUE:
            issues.add(linked_id)
    for group_id, release_id, linked_type, linked_id in session.query("load_resolved_by", ids=group_ids):
        by_id[group_id].resolved_by.add((release_id, LinkedType(linked_type), linked_id))
    load_external_issues(session, issues)


def _group(session: Session, row: tuple[Any, ...], organization: Organization) -> Group:
    resolution = None
    if row[12] is not None:
        actor = None if row[15] is None and row[16] is None else Actor(row[15], row[16])
        resolution = Resolution(
            row[12], row[18], ResolutionType(row[13]), ResolutionStatus(row[14]), actor, row[17], row[19]
        )
    return Group(
        id=row[0],
        organization=organization,
        project=session.project(row[2], row[1], row[10]),
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


def load_external_issues(session: Session, issues: set[int]) -> None:
    """The external issues that groups are linked to, and those that events name."""
    organizations = session.rows.organizations
    keys = [
        {"organization_id": organizations[slug].id, "provider": provider, "key": key}
        for slug, provider, key in session.needs.external_issues
        if slug in organizations
    ]
    for id_, organization_id, provider, key, url, xmin in session.query("load_external_issues", ids=issues, keys=keys):
        issue = ExternalIssue(
            id=id_, organization_id=organization_id, provider=provider, key=key, url=url, stored=True, xmin=xmin
        )
        session.rows.external_issues[organization_id, provider, key] = issue
        session.rows.external_issues_by_id[id_] = issue


def _pending_groups(session: Session) -> set[int]:
    """Groups of the projects that events attach, resolved in a release that was still to come (SEMANTICS 5.4)."""
    attached = {
        project.id
        for (slug, _), names in session.needs.attachments.items()
        for name in names
        if (organization := session.rows.organizations.get(slug)) is not None
        and (project := session.rows.projects.get((organization.id, name))) is not None
    }
    return {id_ for (id_,) in session.query("load_pending_groups", projects=attached)}


def _groups_of_deleted(session: Session) -> set[int]:
    """Groups that began in a release that is deleted, or are or were resolved in it; it may yet be created before."""
    organizations = session.rows.organizations
    ids = {(release.organization.slug, release.version): release.id for release in deleted_releases(session)}
    releases = [
        {"id": ids.get((slug, version)), "organization_id": organizations[slug].id, "version": version}
        for slug, version in session.needs.deletions
        if slug in organizations
    ]
    return {id_ for (id_,) in session.query("load_groups_of_releases", releases=releases)}


def load_next_releases(session: Session) -> None:
    """The release of a project that came first after another: where a pending resolution is settled at once.

    Events say the version, or put a group that is pending already into another project.
    """
    keys = []
    for (slug, short_id), (projects, versions) in session.needs.successors.items():
        organization = session.rows.organizations.get(slug)
        if organization is None:
            continue
        group = session.rows.groups.get((organization.id, short_id))
        pending = group.resolution if group else None
        if pending is not None and pending.status is ResolutionStatus.PENDING:
            versions |= {pending.version}
        keys += [
            {"organization_id": organization.id, "project": project, "version": version}
            for project in projects
            for version in versions
        ]
    for organization_id, project, version, release_id, next_version in session.query("load_next_releases", keys=keys):
        session.rows.next_releases[organization_id, project, version] = (release_id, next_version)


def _targets(commits: Iterable[int], pull_requests: Iterable[int]) -> list[dict[str, Any]]:
    """Commits and pull requests, by their ids, as link targets that a statement takes."""
    ids = {LinkedType.COMMIT: list(commits), LinkedType.PULL_REQUEST: list(pull_requests)}
    return [{"linked_type": type_, "linked_ids": of_type} for type_, of_type in ids.items() if of_type]
