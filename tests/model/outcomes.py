"""What becomes of an event, and why some are refused (SEMANTICS sections 2, 4 and 10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from consumer.contracts.events import (
    CommitsPushed,
    OrganizationUpdated,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ReleaseUpdated,
)
from tests.model.commits import in_repositories, listed_commits, unknown_repositories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.contracts.events import AnyEvent
    from tests.model.state import Organization

VERSION = "$.data.version"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event; ``reason`` and JSON ``paths`` only where it is dead."""

    kind: Literal["applied", "duplicate", "dead"]
    reason: str | None = None
    paths: tuple[str, ...] = ()


APPLIED = Outcome("applied")
DUPLICATE = Outcome("duplicate")


def refusal(known: Organization, event: AnyEvent, ignore_markers: Sequence[str]) -> Outcome | None:
    """Return why an event is dead in this organization, one without anything if it is not known; else ``None``."""
    match event:
        case ReleaseCreated() | CommitsPushed():
            return _unknown_repositories(known, event, ignore_markers)
        case ReleaseUpdated() if event.version not in known.releases:
            return Outcome("dead", "unknown-release", (VERSION,))
        case ReleaseDeployed():
            return _undeployable(known, event)
        case ReleaseDeleted() if known.is_first_release(event.version):
            return Outcome("dead", "release-in-use", (VERSION,))
        case OrganizationUpdated(avatar_type="upload", avatar=None) if known.avatar.picture is None:
            return Outcome("dead", "rule", ("$.data.avatarType",))
    return None


def _unknown_repositories(
    known: Organization, event: ReleaseCreated | CommitsPushed, ignore_markers: Sequence[str]
) -> Outcome | None:
    """Every ref needs a repository that exists or that the commits of the event create (section 4, ``refs``)."""
    listed = listed_commits(in_repositories(event.commits, known.fallback_repository), ignore_markers)
    unknown = unknown_repositories(known, listed, event.refs)
    if not unknown:
        return None
    return Outcome("dead", "invalid-repository", tuple(f"$.data.refs[{index}].repository" for index in unknown))


def _undeployable(known: Organization, event: ReleaseDeployed) -> Outcome | None:
    """Only a known release is deployed, and only for projects that it is attached to."""
    release = known.releases.get(event.version)
    if release is None:
        return Outcome("dead", "unknown-release", (VERSION,))
    wrong = [index for index, slug in enumerate(event.projects or ()) if slug not in release.projects]
    if not wrong:
        return None
    return Outcome("dead", "invalid-project", tuple(f"$.data.projects[{index}]" for index in wrong))
