"""Releases as people and programs read them (SEMANTICS section 8)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from consumer.codes import GroupStatus, ReleaseStatus, ResolutionStatus, ResolutionType
from consumer.errors import UsageError
from consumer.store.reading.documents import Cursor, Document, next_cursor, page_size, person, rfc3339, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow

StatusFilter = Literal["open", "archived", "all"]


def show_release(connection: Connection, organization: str, version: str) -> Document:
    """A release with its log, heads, authors, projects and resolved groups, in six statements.

    Args:
        connection: in a REPEATABLE READ transaction, so that the statements see the same state.
        organization: slug.
        version: verbatim.

    Raises:
        UsageError: there is no such organization or release.
    """
    found = rows(connection, "read_release", organization=organization, version=version)
    if not found:
        raise unknown_organization(organization)
    release = found[0]
    if release.id is None:
        message = (
            f"organization {organization} has no release {version!r}; "
            f"see `release-consumer releases list --organization {organization} --project ...`"
        )
        raise UsageError(message)
    log = rows(connection, "read_release_commits", release_id=release.id)
    authors = {commit.author_id: person(commit.author_name, commit.author_email) for commit in log}
    authors.pop(None, None)
    return _summary(
        release,
        authors=list(authors.values()),
        projects=_projects(connection, [release.id])[release.id],
        heads=_heads(connection, [release.id])[release.id],
    ) | {
        "commits": _commits(connection, release.id, log),
        "resolvedGroups": _resolved_groups(connection, release.organization_id, version),
    }


def list_releases(
    connection: Connection,
    organization: str,
    project: str,
    *,
    query: str | None = None,
    status: StatusFilter = "open",
    limit: int = 100,
    cursor: str | None = None,
) -> Document:
    """A page of a project's releases (seed flow ``get``), newest first, in five statements.

    Newest is by ``dateReleased``, else ``dateCreated``; a cursor stays good while releases come and go.

    Args:
        connection: in a REPEATABLE READ transaction, so that the statements see the same state.
        organization: slug.
        project: slug.
        query: what the version starts with, in any case; every character stands for itself.
        status: which releases; archived ones are hidden unless asked for.
        limit: releases of the page, 1 to 100.
        cursor: ``nextCursor`` of the page before.

    Returns:
        ``{"releases": [...], "nextCursor": ...}``: the documents of ``show_release`` without commits and resolved
        groups; the cursor is ``None`` on the last page.

    Raises:
        UsageError: there is no such organization or project, the limit is out of range, or the cursor is broken.
    """
    after = Cursor.decode(cursor) if cursor is not None else None
    limit = page_size(limit)
    organization_id, project_id = _project(connection, organization, project)
    page = rows(
        connection,
        "read_release_page",
        organization_id=organization_id,
        project_id=project_id,
        query=query or None,
        status=None if status == "all" else ReleaseStatus[status.upper()].value,
        after=after and after.time,
        after_id=after and after.id,
        limit=limit + 1,
    )
    releases = page[:limit]
    ids = [release.id for release in releases]
    authors = _authors(connection, [author_id for release in releases for author_id in release.authors])
    projects = _projects(connection, ids)
    heads = _heads(connection, ids)
    return {
        "releases": [
            _summary(
                release,
                authors=[authors[author_id] for author_id in release.authors],
                projects=projects[release.id],
                heads=heads[release.id],
            )
            for release in releases
        ],
        "nextCursor": next_cursor(page, limit, "sorted_by"),
    }


def unknown_organization(slug: str) -> UsageError:
    """The error for an organization that no event has named yet."""
    return UsageError(f"there is no organization {slug!r}; check the slug, or publish an event that names it")


def _summary(
    release: AnyRow, *, authors: list[Document | None], projects: list[str], heads: list[Document]
) -> Document:
    return {
        "organization": release.organization,
        "id": release.id,
        "version": release.version,
        "status": ReleaseStatus(release.status).label,
        "ref": release.ref,
        "url": release.url,
        "dateCreated": rfc3339(release.date_added),
        "dateReleased": release.date_released and rfc3339(release.date_released),
        "commitCount": release.commit_count,
        "lastCommit": release.last_commit,
        "authors": authors,
        "projects": projects,
        "headCommits": heads,
        "deploys": [],
    }


def _project(connection: Connection, organization: str, project: str) -> tuple[int, int]:
    found = rows(connection, "read_project", organization=organization, project=project)
    if not found:
        raise unknown_organization(organization)
    organization_id, project_id = found[0]
    if project_id is None:
        message = f"organization {organization} has no project {project!r}; check the slug, or publish project-updated"
        raise UsageError(message)
    return organization_id, project_id


def _commits(connection: Connection, release_id: int, log: Sequence[AnyRow]) -> list[Document]:
    patch_sets: defaultdict[int, list[Document]] = defaultdict(list)
    for commit_id, filename, type_ in rows(connection, "read_file_changes", release_id=release_id):
        patch_sets[commit_id].append({"path": filename, "type": type_})
    return [
        {
            "id": commit.key,
            "repository": commit.repository,
            "message": commit.message,
            "author": person(commit.author_name, commit.author_email),
            "dateCreated": rfc3339(commit.date_added),
            "patchSet": patch_sets[commit.id],
        }
        for commit in log
    ]


def _authors(connection: Connection, ids: list[int]) -> dict[int, Document | None]:
    found = rows(connection, "read_release_authors", author_ids=sorted(set(ids)))
    return {author.id: person(author.name, author.email) for author in found}


def _projects(connection: Connection, release_ids: list[int]) -> defaultdict[int, list[str]]:
    projects: defaultdict[int, list[str]] = defaultdict(list)
    for release_id, slug in rows(connection, "read_release_projects", release_ids=release_ids):
        projects[release_id].append(slug)
    return projects


def _heads(connection: Connection, release_ids: list[int]) -> defaultdict[int, list[Document]]:
    heads: defaultdict[int, list[Document]] = defaultdict(list)
    for release_id, repository, key in rows(connection, "read_release_heads", release_ids=release_ids):
        heads[release_id].append({"repository": repository, "commit": key})
    return heads


def _resolved_groups(connection: Connection, organization_id: int, version: str) -> list[str]:
    found = rows(
        connection,
        "read_resolved_groups",
        organization_id=organization_id,
        version=version,
        group_status=GroupStatus.RESOLVED.value,
        resolution_type=ResolutionType.IN_RELEASE.value,
        resolution_status=ResolutionStatus.RESOLVED.value,
    )
    return [group.short_id for group in found]
