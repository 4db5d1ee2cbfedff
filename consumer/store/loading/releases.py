"""Reading releases: their rows, projects, logs and heads, deploys, and which of them are deleted."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from consumer.codes import ReleaseStatus
from consumer.store.rows import Deploy, Release

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.store.loading.session import Session
    from consumer.store.needs import CommitListNeed


def load_releases(session: Session) -> None:
    """The releases of all events, locked, with their projects."""
    by_id = {organization.id: organization for organization in session.rows.organizations.values()}
    for row in session.query("load_releases", keys=session.keys("version", session.needs.attachments)):
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
        session.rows.releases[row[1], row[2]] = session.releases_by_id[release.id] = release
    load_release_projects(session, session.releases_by_id)


def load_release_projects(session: Session, releases: Iterable[int]) -> None:
    """The projects of releases."""
    for release_id, project_id, organization_id, slug in session.query("load_release_projects", releases=releases):
        release = session.releases_by_id[release_id]
        release.projects[project_id] = session.project(project_id, organization_id, slug)
        release.stored_projects.add(project_id)


def load_changed_lists(session: Session) -> list[CommitListNeed]:
    """The commit lists that must be compared in full, after loading the logs of their releases.

    A list whose digest the release already carries changes nothing (SEMANTICS section 6), provided that no
    other event of the batch touches the release's log or one of its commits.
    """
    rows, needs = session.rows, session.needs
    releases: dict[tuple[str, str], Release] = {
        (release.organization.slug, release.version): release for release in rows.releases.values()
    }
    attaching = {
        name for name, release in releases.items() if _attaches(session, release, needs.attachments.get(name, set()))
    }
    lists_of = Counter((need.organization, need.version) for need in needs.commit_lists)
    same: list[CommitListNeed] = []
    changed: list[CommitListNeed] = []
    for need in needs.commit_lists:
        name = (need.organization, need.version)
        release = releases.get(name)
        unchanged = (
            needs.trusts_digests
            and release is not None
            and release.log_digest == need.digest
            and lists_of[name] == 1
            and name not in needs.head_commits
            and name not in needs.deletions
            and name not in attaching
        )
        (same if unchanged else changed).append(need)
    _move_touched(same, changed)
    wanted = {(need.organization, need.version) for need in changed} | attaching | set(needs.head_commits)
    load_logs(session, [releases[name].id for name in wanted if name in releases])
    return changed


def _move_touched(same: list[CommitListNeed], changed: list[CommitListNeed]) -> None:
    """Move lists that share a commit with a changed one, or with one that moved, to the changed ones."""
    touched: defaultdict[tuple[str, str | None], set[str]] = defaultdict(set)
    moved = changed if same else []
    while moved:
        for need in moved:
            for name, keys in need.keys.items():
                touched[need.organization, name] |= keys
        moved = [need for need in same if _is_touched(need, touched)]
        same[:] = [need for need in same if need not in moved]
        changed += moved


def _is_touched(need: CommitListNeed, touched: Mapping[tuple[str, str | None], set[str]]) -> bool:
    return any(not touched[need.organization, name].isdisjoint(keys) for name, keys in need.keys.items())


def _attaches(session: Session, release: Release, projects: set[str]) -> bool:
    """Whether events attach a project that the release does not have yet."""
    for slug in projects:
        project = session.rows.projects.get((release.organization.id, slug))
        if project is None or project.id not in release.projects:
            return True
    return False


def load_logs(session: Session, releases: Sequence[int]) -> None:
    """The logs and heads of releases."""
    for release_id in releases:
        session.releases_by_id[release_id].log_known = True
    for release_id, timestamp, *commit in session.query("load_logs", releases=releases):
        session.releases_by_id[release_id].log.append((session.logged_commit(*commit), timestamp))
    for release_id, *commit in session.query("load_heads", releases=releases):
        release = session.releases_by_id[release_id]
        head = session.logged_commit(*commit)
        release.heads[head.repository.id] = head
        release.stored_heads[head.repository.id] = head.id


def load_deploys(session: Session) -> None:
    """The deploys of releases that are deployed again, and where the releases were seen."""
    rows = session.rows
    environments = {environment.id: environment for environment in rows.environments.values()}
    releases = {
        release.id for slug, version in session.needs.deploys if (release := rows.find_release(f"{slug}:{version}"))
    }
    for id_, release_id, environment_id, name, url, started, finished, project_ids in session.query(
        "load_deploys", releases=releases, environments=environments
    ):
        session.releases_by_id[release_id].deploys.append(
            Deploy(
                id=id_,
                environment=environments[environment_id],
                name=name,
                url=url,
                date_started=started,
                date_finished=finished,
                project_ids=project_ids,
                stored=True,
            )
        )


def deleted_releases(session: Session) -> list[Release]:
    """The releases that events delete."""
    found = (session.rows.find_release(f"{slug}:{version}") for slug, version in session.needs.deletions)
    return [release for release in found if release is not None]
