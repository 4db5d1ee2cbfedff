"""What every event about a release does: get or create it, attach projects, set commits and heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.errors import InvalidRepository, UnknownRelease, Violation
from consumer.handlers.commit_log import CommitList, set_commits
from consumer.handlers.resolution import resolve_in_release, settle_pending, unresolve
from consumer.store.working_set import FALLBACK_REPOSITORY, WorkingSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.codes import ReleaseStatus
    from consumer.contracts.events import RefData, ReleaseEvent
    from consumer.handlers.facts import Recorder
    from consumer.store.needs import Needs
    from consumer.store.rows import Project, Release


def need_release(
    needs: Needs, event: ReleaseEvent, projects: Sequence[str], commits: CommitList | None, refs: Sequence[RefData]
) -> None:
    """Name what an event about a release reads."""
    organization = event.organization
    needs.release(organization, event.version, list(projects))
    if commits is not None:
        needs.commit_lists.append(commits.need(organization, event.version))
        needs.authors[organization].update([email.lower() for email in set(commits.emails) if email])
        needs.repositories.update((organization, name) for name in commits.repositories)
    if refs:
        heads = needs.head_commits.setdefault((organization, event.version), set())
        heads.update((ref.repository, ref.commit) for ref in refs)
        needs.repositories.update((organization, ref.repository) for ref in refs)


def check_refs(rows: WorkingSet, event: ReleaseEvent, commits: CommitList | None, refs: Sequence[RefData]) -> None:
    """Refuse refs to repositories that the organization does not have, before anything is changed.

    Raises:
        InvalidRepository: names all of them (SEMANTICS section 4).
    """
    if not refs:
        return
    organization = rows.organizations.get(event.organization)
    created = set(commits.keys) if commits else set()
    if organization is not None and None in created:
        created.add(FALLBACK_REPOSITORY.format(id=organization.id))
    violations, names = [], []
    for index, ref in enumerate(refs):
        known = organization is not None and (organization.id, ref.repository) in rows.repositories
        if not known and ref.repository not in created:
            names.append(ref.repository)
            violations.append(Violation(f"$.data.refs[{index}].repository", f"unknown repository {ref.repository!r}"))
    if names:
        raise InvalidRepository(names, violations)


def known_release(rows: WorkingSet, event: ReleaseEvent) -> Release:
    """The release of an event that cannot create one.

    Raises:
        UnknownRelease: there is none. Events of a version key come in order, so waiting would not help.
    """
    release = rows.find_release(event.key)
    if release is None:
        raise UnknownRelease(event.version)
    return release


def change_status(release: Release, status: ReleaseStatus) -> dict[str, dict[str, str]]:
    """Archive a release or open it again; returns the change, if it is one."""
    if release.status is status:
        return {}
    changes = {"status": {"from": release.status.label, "to": status.label}}
    release.status = status
    release.changed = True
    return changes


def get_release(rows: WorkingSet, event: ReleaseEvent) -> tuple[Release, bool]:
    """The release of an event and whether it was created just now."""
    return rows.release(rows.organization(event.organization), event.version)


def attach_projects(rows: WorkingSet, release: Release, slugs: Sequence[str]) -> list[Project]:
    """Attach projects to a release; returns those that were not attached yet, in the order given."""
    attached = []
    for slug in slugs:
        project = rows.project(release.organization, slug)
        if project.id not in release.projects:
            release.projects[project.id] = project
            attached.append(project)
    return attached


def record_attached(recorder: Recorder, release: Release, attached: Sequence[Project], *, created: bool) -> None:
    """Say that a release was created or projects were attached, and that it is out for them if it is."""
    for project in attached:
        recorder.release_created(release, project, created=created)
    if created and not attached:
        recorder.release_created(release, None, created=True)
    if release.date_released is not None:
        for project in attached:
            recorder.release_released(release, project)


def apply_commits(
    rows: WorkingSet,
    recorder: Recorder,
    release: Release,
    commits: CommitList | None,
    refs: Sequence[RefData],
    *,
    attached: Sequence[Project],
) -> None:
    """Set the commit log and the heads, then resolve groups (SEMANTICS sections 4 and 5).

    Args:
        rows: the working set.
        recorder: records what happens.
        release: the release.
        commits: the list to set; ``None`` leaves the log alone.
        refs: heads to set, checked by ``check_refs``.
        attached: projects that were newly attached, so that the log must be searched for their groups.
    """
    heads = dict(release.heads)
    change = set_commits(rows, release, commits) if commits is not None else None
    _set_heads(rows, release, refs)
    if release.heads != heads or (change is not None and change.changed):
        recorder.commits_set(release)
    if change is not None:
        unresolve(rows, recorder, change.unlinked)
    if attached or (change is not None and release.log_known):
        resolve_in_release(rows, recorder, release)
    settle_pending(rows, recorder, release, attached)  # what no commit has resolved in it


def _set_heads(rows: WorkingSet, release: Release, refs: Sequence[RefData]) -> None:
    """Set the head commit of each ref's repository; the last ref wins."""
    moved = False
    for ref in refs:
        repository = rows.repository(release.organization, ref.repository)
        commit, _ = rows.commit(repository, ref.commit)
        if release.heads.get(repository.id) is not commit:
            release.heads[repository.id] = commit
            moved = True
    if moved:
        release.log_digest = None  # the same list again would move the heads back
        release.changed = True
