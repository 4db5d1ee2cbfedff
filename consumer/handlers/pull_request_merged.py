"""``pull-request-merged``: a pull request whose merge commit may be, or become, part of a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.codes import LinkedType
from consumer.handlers.authors import author_email
from consumer.handlers.commit_log import change_references
from consumer.handlers.facts import Recorder
from consumer.handlers.references import find_references
from consumer.handlers.resolution import resolve_late, unresolve

if TYPE_CHECKING:
    from consumer.contracts.events import PullRequestMerged
    from consumer.store.needs import Needs
    from consumer.store.rows import Author, Organization, PullRequest
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class PullRequestMergedPlan:
    """A planned ``pull-request-merged``; ``references`` are what its message and title name."""

    event: PullRequestMerged
    email: str | None
    references: frozenset[str]

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        event = self.event
        organization = event.organization
        needs.organization(organization, catalog=True)
        needs.repositories.add((organization, event.repository))
        needs.pull_requests.add((organization, event.repository, event.number))
        needs.merges.add((organization, event.merge_commit_sha))
        needs.groups.update((organization, short_id) for short_id in self.references)
        needs.links += len(self.references)
        if self.email:
            needs.authors[organization].add(self.email.lower())

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; only given fields change."""
        event = self.event
        recorder = Recorder(rows, event)
        organization = rows.organization(event.organization)
        repository = rows.repository(organization, event.repository)
        pull_request, _ = rows.pull_request(repository, event.number, event.merge_commit_sha)
        author = self._author(rows, organization)
        for field, value in (("title", event.title), ("message", event.message), ("author", author)):
            if value is not None and getattr(pull_request, field) != value:
                setattr(pull_request, field, value)
                pull_request.changed = True
        target = (LinkedType.PULL_REQUEST, pull_request.id)
        references = _references(pull_request)
        if references != pull_request.references:
            unlinked = change_references(rows, organization.id, target, pull_request.references, references)
            pull_request.references = references
            unresolve(rows, recorder, unlinked)
        resolve_late(rows, recorder, [target], None)

    def _author(self, rows: WorkingSet, organization: Organization) -> Author | None:
        if self.email is None:
            return None
        author = rows.author(organization, self.email.lower())
        name = self.event.author_name
        if name is not None and author.name != name:
            author.name = name
            author.changed = True
        return author


def plan_pull_request(event: PullRequestMerged) -> PullRequestMergedPlan:
    """Plan a ``pull-request-merged``."""
    return PullRequestMergedPlan(
        event,
        author_email(event.author_email, event.author_name),
        find_references(event.message) | find_references(event.title),
    )


def _references(pull_request: PullRequest) -> frozenset[str]:
    """What the stored message and title name: a field that the event leaves out still counts."""
    return find_references(pull_request.message) | find_references(pull_request.title)
