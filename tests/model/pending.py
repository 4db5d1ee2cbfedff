"""Pending resolutions, and the newer release that settles them (SEMANTICS section 5.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.model.activities import Announcer
    from tests.model.state import Group, Organization, Release


def settle_in_attached(
    organization: Organization, release: Release, attached: Collection[str], announcer: Announcer
) -> None:
    """A release that reaches projects settles what is pending there on an earlier or an unknown one."""
    for group in organization.groups_by_short_id():
        pending = group.pending_on
        if pending is None or pending == release.version or group.project not in attached:
            continue
        if pending not in organization.releases or release in organization.releases_after(pending):
            _settle(group, release, announcer)


def settle_in_known(organization: Organization, group: Group, announcer: Announcer) -> None:
    """A group that became pending, or moved to another project, is settled in the next release that is known."""
    pending = group.pending_on
    release = next_release(organization, group, pending) if pending else None
    if release:
        _settle(group, release, announcer)


def next_release(organization: Organization, group: Group, version: str) -> Release | None:
    """The first release of the group's project after a known one, if any."""
    if version not in organization.releases:
        return None
    newer = (release for release in organization.releases_after(version) if group.project in release.projects)
    return next(newer, None)


def _settle(group: Group, release: Release, announcer: Announcer) -> None:
    pending = group.resolution
    assert pending is not None
    group.resolution = replace(pending, release=release.version, type="in_release")
    announcer.group_resolved(group, pending.actor, source=None)
