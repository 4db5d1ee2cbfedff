"""Releases as people and programs read them (SEMANTICS section 8)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consumer.codes import GroupStatus, ReleaseStatus, ResolutionStatus, ResolutionType
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import UsageError
from consumer.store.reading.documents import page_size, person, rows
from consumer.store.reading.listings import Listing
from consumer.store.reading.organizations import unknown_organization

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from consumer.store.reading.documents import AnyRow, Document
    from consumer.store.reading.listings import Sort, StatusFilter


def show_release(connection: Connection, organization: str, version: str) -> Document:
    """A release with its log, heads, authors, projects, deploys and resolved groups, in seven statements.

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
        deploys=_deploys(connection, [release.id])[release.id],
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
    environment: str | None = None,
    status: StatusFilter = "open",
    sort: Sort = "date",
    limit: int = 100,
    cursor: str | None = None,
) -> Document:
    """A page of a project's releases (seed flow ``get``); a cursor stays good while releases come and go.

    The number of statements does not depend on the releases.

    Args:
        connection: in a REPEATABLE READ transaction, so that the statements see the same state.
        organization: slug.
        project: slug.
        query: what the version starts with, in any case; every character stands for itself.
        environment: only releases that the project was seen in it with; of an unknown one there are none.
        status: which releases; archived ones are hidden unless asked for.
        sort: ``date``: newest first by ``dateReleased``, else ``dateCreated``; ``semver``: greatest version first
            whatever its package, and what is no semantic version last, both newest first where they are equal.
        limit: releases of the page, 1 to 100.
        cursor: ``nextCursor`` of the page before.

    Returns:
        ``{"releases": [...], "nextCursor": ...}``: the documents of ``show_release`` without commits and resolved
        groups; the cursor is ``None`` on the last page.

    Raises:
        UsageError: there is no such organization or project, the limit is out of range, or the cursor is broken or
            of another listing.
    """
    limit = page_size(limit)
    ids = _ids(connection, organization, project, environment)
    if environment is not None and ids["environment_id"] is None:
        return {"releases": [], "nextCursor": None}
    listing = Listing(organization, project, query or None, environment, status, sort)
    page = listing.find(connection, limit=limit, cursor=cursor, **ids)
    return {"releases": _summaries(connection, page.ids), "nextCursor": page.next_cursor}


def _ids(connection: Connection, organization: str, project: str, environment: str | None) -> dict[str, int | None]:
    """The ids of all that a listing names, by one look-up; that of the environment is ``None`` where it is unknown."""
    found = rows(connection, "read_project", organization=organization, project=project, environment=environment)
    if not found:
        raise unknown_organization(organization)
    if found[0].project_id is None:
        message = f"organization {organization} has no project {project!r}; check the slug, or publish project-updated"
        raise UsageError(message)
    return found[0]._asdict()


def _summaries(connection: Connection, ids: list[int]) -> list[Document]:
    """Releases without logs and groups, in the order of the ids."""
    releases = {release.id: release for release in rows(connection, "read_releases", release_ids=ids)}
    authors = _authors(connection, {author_id for release in releases.values() for author_id in release.authors})
    projects, heads, deploys = _projects(connection, ids), _heads(connection, ids), _deploys(connection, ids)
    return [
        _summary(
            releases[id_],
            authors=[authors[author_id] for author_id in releases[id_].authors],
            projects=projects[id_],
            heads=heads[id_],
            deploys=deploys[id_],
        )
        for id_ in ids
    ]


def _summary(
    release: AnyRow,
    *,
    authors: list[Document | None],
    projects: list[str],
    heads: list[Document],
    deploys: list[Document],
) -> Document:
    return {
        "organization": release.organization,
        "id": release.id,
        "version": release.version,
        "versionInfo": _version_info(release),
        "status": ReleaseStatus(release.status).label,
        "ref": release.ref,
        "url": release.url,
        "dateCreated": format_timestamp(release.date_added),
        "dateStarted": _time(release.date_started),
        "dateReleased": _time(release.date_released),
        "owner": release.owner,
        "commitCount": release.commit_count,
        "lastCommit": release.last_commit,
        "authors": authors,
        "projects": projects,
        "headCommits": heads,
        "deployCount": release.total_deploys,
        "deploys": deploys,
    }


def _time(instant: datetime | None) -> str | None:
    return None if instant is None else format_timestamp(instant)


def _version_info(release: AnyRow) -> Document | None:
    """The version as parsed when the release was made; ``None`` where it is no semantic version."""
    if release.major is None:
        return None
    return {
        "package": release.package,
        "version": {
            "raw": release.version.strip().removeprefix(f"{release.package}@"),
            "major": release.major,
            "minor": release.minor,
            "patch": release.patch,
            "revision": release.revision,
            "pre": release.prerelease or None,
            "buildCode": release.build_code,
        },
    }


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
            "dateCreated": format_timestamp(commit.date_added),
            "patchSet": patch_sets[commit.id],
        }
        for commit in log
    ]


def _authors(connection: Connection, ids: Iterable[int]) -> dict[int, Document | None]:
    found = rows(connection, "read_release_authors", author_ids=sorted(ids))
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


def _deploys(connection: Connection, release_ids: list[int]) -> defaultdict[int, list[Document]]:
    deploys: defaultdict[int, list[Document]] = defaultdict(list)
    for deploy in rows(connection, "read_release_deploys", release_ids=release_ids):
        deploys[deploy.release_id].append(
            {
                "environment": deploy.environment,
                "name": deploy.name,
                "url": deploy.url,
                "dateStarted": _time(deploy.date_started),
                "dateFinished": format_timestamp(deploy.date_finished),
            }
        )
    return deploys


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
