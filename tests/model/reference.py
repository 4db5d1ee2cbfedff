"""The reference model: SEMANTICS sections 3 to 7 and 10, one event at a time.

It is written to be read next to the specification; nothing is fast. What needs a clock is kept out of what is compared:
times that no event gave read as ``None``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from consumer.contracts.events import (
    CommitsPushed,
    GroupUpdated,
    OrganizationUpdated,
    ProjectUpdated,
    PullRequestMerged,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
)
from tests.model.activities import Activity, Announcer, Cause
from tests.model.authors import author_of, learn_names
from tests.model.commits import (
    in_repositories,
    listed_commits,
    replace_log,
    replace_repositories,
    set_refs,
    snapshot,
    store_commits,
)
from tests.model.groups import relink, reopen_groups, resolve_groups, update_group
from tests.model.organizations import update_organization
from tests.model.outcomes import APPLIED, DUPLICATE, Outcome, refusal
from tests.model.pending import settle_in_attached
from tests.model.releases import (
    announce_projects,
    attach_projects,
    change_status,
    delete_release,
    deploy_release,
    new_release,
    update_release,
)
from tests.model.state import Group, Organization, PullRequest, Release
from tests.model.views import group_json, organization_state, release_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from consumer.contracts.events import AnyEvent
    from tests.model.groups import LostLink
    from tests.model.state import LinkSource

IGNORE_MARKERS = ("#skipsentry",)


def fallback_repository(organization: str) -> str:
    """Stand in for ``organization-<organization id>``, as the model knows no ids."""
    return f"organization-{organization}"


class ReferenceModel:
    """All that the system knows after a sequence of events, and all that it announced.

    Args:
        repository_of_last_resort: gives an organization's name for commits without a repository.
        ignore_markers: a commit whose message holds one of these is left out (section 4.2).
    """

    def __init__(
        self,
        repository_of_last_resort: Callable[[str], str] = fallback_repository,
        ignore_markers: Sequence[str] = IGNORE_MARKERS,
    ) -> None:
        self.organizations: dict[str, Organization] = {}
        self.activities: list[Activity] = []
        self._seen: set[Cause] = set()
        self._repository_of_last_resort = repository_of_last_resort
        self._ignore_markers = ignore_markers

    def apply(self, event: AnyEvent, now: datetime) -> Outcome:
        """Apply one event unless its (source, id) was applied before (section 6). A dead event changes nothing."""
        cause = Cause(event.source, event.id)
        if cause in self._seen:
            return DUPLICATE
        organization = self.organizations.get(event.organization) or self._new_organization(event.organization)
        if dead := refusal(organization, event, self._ignore_markers):
            return dead
        self._seen.add(cause)
        if isinstance(event, ReleaseDeleted) and event.version not in organization.releases:
            return APPLIED
        self.organizations[organization.slug] = organization
        self._take(organization, event, Announcer(organization, cause, self.activities), now)
        return APPLIED

    def release(self, organization: str, version: str) -> dict[str, Any]:
        """Return a release as users get it; ``KeyError`` where there is none."""
        found = self.organizations[organization]
        return release_json(found, found.releases[version])

    def group(self, organization: str, short_id: str) -> dict[str, Any]:
        """Return a group as users get it, with its activity; ``KeyError`` where there is none."""
        found = self.organizations[organization]
        key = f"{organization}:{short_id}"
        activity = [
            {"type": activity.type, "data": activity.data}
            for activity in self.activities
            if activity.key == key and activity.type.startswith("activity.group.")
        ]
        return group_json(found, found.groups[short_id], activity)

    def state(self) -> dict[str, Any]:
        """Return everything that can be compared with the product."""
        return {
            "organizations": {
                slug: organization_state(organization) for slug, organization in sorted(self.organizations.items())
            },
            "activities": [
                {"type": activity.type, "key": activity.key, "data": activity.data, "cause": activity.cause._asdict()}
                for activity in self.activities
            ],
        }

    def _take(self, organization: Organization, event: AnyEvent, announcer: Announcer, now: datetime) -> None:
        """Do what an event says that is neither dead nor a duplicate."""
        match event:
            case ReleaseCreated() | CommitsPushed():
                self._create_or_push(organization, event, announcer, now)
            case ReleaseUpdated() | ReleaseDeployed() | ReleaseDeleted():
                _change_release(organization, event, announcer, now)
            case OrganizationUpdated():
                update_organization(organization, event, announcer)
            case ProjectUpdated():
                _update_project(organization, event)
            case GroupUpdated():
                group = update_group(organization, event, announcer, now)
                if group:
                    _resolve_where_shipped(organization, group, group.links, announcer, now)
            case PullRequestMerged():
                _merge_pull_request(organization, event, announcer, now)
            case _:
                assert_never(event)

    def _new_organization(self, slug: str) -> Organization:
        return Organization(slug, self._repository_of_last_resort(slug))

    def _create_or_push(
        self,
        organization: Organization,
        event: ReleaseCreated | CommitsPushed,
        announcer: Announcer,
        now: datetime,
    ) -> None:
        """Create or get the release, attach projects, set commits and refs, then resolve groups (sections 4 to 6).

        What is pending in the newly attached projects, and no commit has resolved, is settled.
        """
        created = event.version not in organization.releases
        release = organization.releases.setdefault(event.version, new_release(event))
        attached = attach_projects(organization, release, event.projects)
        announce_projects(release, attached, announcer, created=created)
        if not created and isinstance(event, ReleaseCreated):
            change_status(release, event, announcer)
        sets_log = _sets_log(event)
        lost = self._set_commits_and_refs(organization, release, event, announcer, now)
        reopen_groups(organization, lost, announcer)
        if attached or sets_log:
            resolve_groups(organization, release, announcer, now)
        settle_in_attached(organization, release, attached, announcer)

    def _set_commits_and_refs(
        self,
        organization: Organization,
        release: Release,
        event: ReleaseCreated | CommitsPushed,
        announcer: Announcer,
        now: datetime,
    ) -> list[LostLink]:
        """Set the log and the heads; announce it if anything changed; return the links that messages lost."""
        pushed = in_repositories(event.commits, organization.fallback_repository)
        listed = listed_commits(pushed, self._ignore_markers)
        lost: list[LostLink] = []
        before = snapshot(organization, release, listed)
        if _sets_log(event):
            entries = store_commits(organization, listed)
            if isinstance(event, CommitsPushed) and event.replace == "repositories":
                replace_repositories(release, entries, {commit.repository for commit in pushed})
            else:
                replace_log(release, entries)
            lost = relink(organization, [entry.commit for entry in entries])
            if snapshot(organization, release, listed) != before:
                release.log_set_at = now
        set_refs(organization, release, event.refs)
        if snapshot(organization, release, listed) != before:
            announcer.commits_set(release)
        return lost


def _change_release(
    organization: Organization,
    event: ReleaseUpdated | ReleaseDeployed | ReleaseDeleted,
    announcer: Announcer,
    now: datetime,
) -> None:
    """Update, deploy or delete a known release."""
    match event:
        case ReleaseUpdated():
            update_release(organization.releases[event.version], event, announcer)
        case ReleaseDeployed():
            deploy_release(organization, organization.releases[event.version], event, announcer, now)
        case ReleaseDeleted():
            delete_release(organization, event.version, announcer)


def _sets_log(event: ReleaseCreated | CommitsPushed) -> bool:
    """Tell whether the event sets the log: an empty list does so only where it means the whole log (section 4)."""
    return bool(event.commits) or (isinstance(event, CommitsPushed) and event.replace == "release")


def _update_project(organization: Organization, event: ProjectUpdated) -> None:
    project = organization.project(event.project)
    project.name = event.name if event.name is not None else project.name
    project.platform = event.platform if event.platform is not None else project.platform


def _merge_pull_request(
    organization: Organization, event: PullRequestMerged, announcer: Announcer, now: datetime
) -> None:
    """Create or update a pull request, then resolve what it fixes where its merge commit has shipped (section 5)."""
    organization.repositories.add(event.repository)
    learn_names(organization, [event])
    key = (event.repository, event.number)
    new = PullRequest(event.repository, event.number, event.merge_commit_sha)
    pull_request = organization.pull_requests.setdefault(key, new)
    pull_request.merge_commit_sha = event.merge_commit_sha
    pull_request.author = author_of(organization, event) or pull_request.author
    pull_request.title = event.title if event.title is not None else pull_request.title
    pull_request.message = event.message if event.message is not None else pull_request.message
    reopen_groups(organization, relink(organization, [pull_request]), announcer)
    _resolve_where_shipped(organization, pull_request, [pull_request], announcer, now)


def _resolve_where_shipped(
    organization: Organization,
    late: Group | PullRequest,
    sources: Sequence[LinkSource],
    announcer: Announcer,
    now: datetime,
) -> None:
    """Look for a late group or pull request in every release that ships it, in the order their logs were set."""
    for release in organization.releases_by_log_age():
        if any(release.ships(source) for source in sources):
            resolve_groups(organization, release, announcer, now, late)
