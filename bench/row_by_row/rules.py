"""The rules about releases and their commits, one row at a time (SEMANTICS sections 4, 6 and 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, select

from bench.row_by_row.models import (
    Commit,
    CommitAuthor,
    CommitFileChange,
    Organization,
    ProcessedEvent,
    Project,
    Release,
    ReleaseCommit,
    ReleaseHeadCommit,
    ReleaseProject,
    Repository,
)
from bench.row_by_row.resolution import link_groups, resolve_groups
from bench.row_by_row.unit import Unit
from consumer.codes import ActivityType, ReleaseStatus
from consumer.contracts import CommitsPushed, ReleaseCreated
from consumer.contracts.timestamps import format_timestamp
from consumer.handlers.authors import author_email
from consumer.store.listing_keys import folded_version, precedence
from consumer.store.processed_events import event_digest
from consumer.store.semver import SEMVER_COLUMNS, parse_release_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from consumer.contracts.events import CommitData

_IGNORE_MARKER = "#skipsentry"
_OLDEST = datetime.min.replace(tzinfo=UTC)
_SEMVER_COLUMNS = SEMVER_COLUMNS.split(", ")


def apply_event(session: Session, event: ReleaseCreated | CommitsPushed, offset: int) -> None:
    """Apply one event in the transaction of the session; one that was seen before changes nothing.

    Args:
        session: of this event alone.
        event: the event.
        offset: its place in the list of events.
    """
    unit = Unit(session, event, offset)
    digest = UUID(event_digest(event))
    if session.get(ProcessedEvent, digest) is not None:
        return
    session.add(ProcessedEvent(digest=digest, processed_at=unit.now, offset_id=0, offset=0))
    organization, _ = unit.get_or_create(Organization, {"slug": event.organization}, date_added=unit.now)
    release, created = _release(unit, organization.id)
    projects = _attach(unit, release, created=created)
    if event.commits or isinstance(event, CommitsPushed):
        log = _set_commits(unit, release, event.commits, created=created)
        if log:
            resolve_groups(unit, release, log, projects)


def _release(unit: Unit, organization_id: int) -> tuple[Release, bool]:
    event = unit.event
    told: dict[str, Any] = {}
    if isinstance(event, ReleaseCreated):
        told = {
            "ref": event.ref,
            "url": event.url,
            "owner": event.owner,
            "date_started": event.date_started,
            "date_released": event.date_released,
            "status": ReleaseStatus[(event.status or "open").upper()],
        }
    release, created = unit.get_or_create(
        Release,
        {"organization_id": organization_id, "version": event.version},
        date_added=unit.now,
        authors=[],
        commit_count=0,
        **told,
        **dict(zip(_SEMVER_COLUMNS, parse_release_version(event.version), strict=True)),
    )
    if not created:
        unit.session.refresh(release, with_for_update=True)
    return release, created


def _attach(unit: Unit, release: Release, *, created: bool) -> dict[int, str]:
    """Attach the projects of the event; returns all projects of the release, id -> slug."""
    session, event = unit.session, unit.event
    attached: dict[int, str] = {}
    if not created:
        query = select(Project).join(ReleaseProject, ReleaseProject.__table__.c.project_id == Project.__table__.c.id)
        query = query.where(ReleaseProject.__table__.c.release_id == release.id)
        attached = {project.id: project.slug for project in session.scalars(query)}
    for slug in getattr(event, "projects", ()):
        project, _ = unit.get_or_create(
            Project, {"organization_id": release.organization_id, "slug": slug}, date_added=unit.now
        )
        if project.id in attached:
            continue
        attached[project.id] = slug
        listed_at = release.date_released or release.date_added
        session.add(
            ReleaseProject(
                release_id=release.id,
                project_id=project.id,
                date_added=release.date_added,
                status=release.status or ReleaseStatus.OPEN,
                listed_at=listed_at,
                folded_version=folded_version(event.version),
                precedence=precedence(parse_release_version(event.version)),
            )
        )
        beginning = {
            "project": slug,
            "created": created,
            "ref": release.ref,
            "url": release.url,
            "dateReleased": format_timestamp(release.date_released) if release.date_released else None,
        }
        unit.tell_of_release("activity.release.created", slug, release, beginning)
        if release.date_released is not None:
            data = {
                "project": slug,
                "dateReleased": format_timestamp(release.date_released),
                "activityType": ActivityType.RELEASE,
            }
            unit.tell_of_release("activity.release.released", slug, release, data)
    return attached


def _set_commits(unit: Unit, release: Release, listed: Sequence[CommitData], *, created: bool) -> list[Commit]:
    """Replace the log of a release; returns it, newest first."""
    session = unit.session
    kept = [data for data in listed if _IGNORE_MARKER not in (data.message or "")]
    kept.sort(key=lambda data: data.timestamp or _OLDEST, reverse=True)
    first: dict[tuple[str | None, str], CommitData] = {}
    for data in kept:
        first.setdefault((data.repository, data.id), data)
    saver = _CommitSaver(unit, release.organization_id)
    log = {saver.save(data): data for data in first.values()}
    before: list[int] = []
    if not created:
        old = ReleaseCommit.__table__.c
        query = select(old.commit_id).where(old.release_id == release.id).order_by(old.position)
        before = list(session.scalars(query))
    if before != [commit.id for commit in log]:
        saver.changed = True
        if before:
            session.execute(delete(ReleaseCommit).where(old.release_id == release.id))
        session.add_all(
            ReleaseCommit(release_id=release.id, position=position, commit_id=commit.id, timestamp=data.timestamp)
            for position, (commit, data) in enumerate(log.items())
        )
    heads: dict[int, Commit] = {}
    for commit in log:
        heads.setdefault(commit.repository_id, commit)
    moved = _move_heads(session, release, heads, created=created)
    release.commit_count = len(log)
    release.last_commit_id = next((commit.id for commit in log), None)
    release.authors = list(dict.fromkeys(commit.author_id for commit in log if commit.author_id is not None))
    release.log_set_at = unit.now
    if saver.changed or moved:
        _tell_commits(unit, release, saver, list(log), heads)
    return list(log)


def _move_heads(session: Session, release: Release, heads: dict[int, Commit], *, created: bool) -> bool:
    known: dict[int, ReleaseHeadCommit] = {}
    if not created:
        query = select(ReleaseHeadCommit).filter_by(release_id=release.id)
        known = {head.repository_id: head for head in session.scalars(query)}
    moved = False
    for repository_id, commit in heads.items():
        head = known.get(repository_id)
        if head is None:
            session.add(ReleaseHeadCommit(release_id=release.id, repository_id=repository_id, commit_id=commit.id))
        elif head.commit_id != commit.id:
            head.commit_id = commit.id
        else:
            continue
        moved = True
    if not heads:
        for head in known.values():
            session.delete(head)
            moved = True
    return moved


def _tell_commits(
    unit: Unit, release: Release, saver: _CommitSaver, log: list[Commit], heads: dict[int, Commit]
) -> None:
    authors = {author.id: author for author in saver.authors.values()}
    names = {repository.id: repository.name for repository in saver.repositories.values()}
    told_heads = [{"repository": names[id_], "commit": commit.key} for id_, commit in heads.items()]
    data = {
        "commitCount": len(log),
        "authors": [{"name": authors[id_].name, "email": authors[id_].email} for id_ in release.authors],
        "lastCommit": log[0].key if log else None,
        "headCommits": sorted(told_heads, key=lambda head: head["repository"]),
    }
    unit.tell_of_release("activity.release.commits-set", "", release, data)


class _CommitSaver:
    """Saves the commits of one list; a repository or author of the list is looked up once."""

    def __init__(self, unit: Unit, organization_id: int) -> None:
        self.repositories: dict[str | None, Repository] = {}
        self.authors: dict[str, CommitAuthor] = {}
        self.changed = False
        self._unit = unit
        self._organization_id = organization_id
        self._named: set[str] = set()

    def save(self, data: CommitData) -> Commit:
        repository = self._repository(data.repository)
        author = self._author(data)
        commit, created = self._unit.get_or_create(
            Commit,
            {"repository_id": repository.id, "key": data.id},
            author_id=author.id if author else None,
            date_added=data.timestamp or self._unit.now,
            message=data.message,
        )
        if not created:
            self._update(commit, data, author)
        self.changed |= created
        if created and data.message:
            link_groups(self._unit, self._organization_id, commit)
        self._save_file_changes(commit, data, created=created)
        return commit

    def _update(self, commit: Commit, data: CommitData, author: CommitAuthor | None) -> None:
        """Write the fields that are given and differ."""
        given = {"author_id": author.id if author else None, "date_added": data.timestamp, "message": data.message}
        for name, value in given.items():
            if value is not None and getattr(commit, name) != value:
                setattr(commit, name, value)
                self.changed = True

    def _save_file_changes(self, commit: Commit, data: CommitData, *, created: bool) -> None:
        if not data.patch_set:
            return
        session = self._unit.session
        known: set[str] = set()
        if not created:
            column = CommitFileChange.__table__.c
            known = set(session.scalars(select(column.filename).where(column.commit_id == commit.id)))
        for path, type_ in data.patch_set:
            if path not in known:
                known.add(path)
                session.add(CommitFileChange(commit_id=commit.id, filename=path, type=type_))
                self.changed = True

    def _repository(self, name: str | None) -> Repository:
        repository = self.repositories.get(name)
        if repository is None:
            key = {"organization_id": self._organization_id, "name": name or f"organization-{self._organization_id}"}
            repository, _ = self._unit.get_or_create(Repository, key)
            self.repositories[name] = repository
        return repository

    def _author(self, data: CommitData) -> CommitAuthor | None:
        email = author_email(data.author_email, data.author_name)
        if email is None:
            return None
        author = self.authors.get(email)
        if author is None:
            key = {"organization_id": self._organization_id, "email": email.lower()}
            author, _ = self._unit.get_or_create(CommitAuthor, key, name=data.author_name)
            self.authors[email] = author
        if data.author_name is not None and email not in self._named:
            self._named.add(email)
            author.name = data.author_name
        return author
