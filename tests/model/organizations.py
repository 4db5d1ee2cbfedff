"""Details of an organization and what changed of them (SEMANTICS section 10, reference section 8)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from consumer.contracts.organization_options import FLAGS, OPTIONS

if TYPE_CHECKING:
    from consumer.contracts.events import OrganizationUpdated
    from tests.model.activities import Announcer
    from tests.model.state import Organization

Changes = dict[str, str]

IDENT = "<ident>"
"""Stands for the ident of a picture, which is made up by chance."""

_IDENT = re.compile(r"\b[0-9a-f]{32}\b")


def without_idents(change: str) -> str:
    """Return a change of avatar as the model tells it; one whose idents are the same stays as it is."""
    idents = _IDENT.findall(change)
    return _IDENT.sub(IDENT, change) if len(idents) == len(set(idents)) else change


def update_organization(organization: Organization, event: OrganizationUpdated, announcer: Announcer) -> None:
    """Change what is given and differs, and tell all of it at once, if anything."""
    changes = _options(organization, event) | _flags(organization, event) | _details(organization, event)
    changes |= _avatar(organization, event)
    if changes:
        announcer.organization_updated(changes, event.actor)


def _options(organization: Organization, event: OrganizationUpdated) -> Changes:
    """Whatever is given is remembered as set; the first time it counts as changed where it is not the default."""
    changes = {}
    for field, value in event.options.items():
        if field not in organization.options:
            if value != OPTIONS[field].default:
                changes[field] = _to(value)
        elif value != (old := organization.options[field]):
            changes[field] = _from_to(old, value)
        organization.options[field] = value
    return changes


def _flags(organization: Organization, event: OrganizationUpdated) -> Changes:
    changes = {}
    for field, value in event.flags.items():
        if value != FLAGS[field].read(organization.flags):
            organization.flags = FLAGS[field].write(organization.flags, value)
            changes[field] = _to(value)
    return changes


def _details(organization: Organization, event: OrganizationUpdated) -> Changes:
    changes = {}
    if event.name is not None and event.name != organization.name:
        changes["name"] = _change(organization.name, event.name)
        organization.name = event.name
    if event.default_role is not None and event.default_role != organization.default_role:
        changes["defaultRole"] = _change(organization.default_role, event.default_role)
        organization.default_role = event.default_role
    return changes


def _avatar(organization: Organization, event: OrganizationUpdated) -> Changes:
    """A picture that is another one gets a new ident; a picture alone means that it is shown."""
    avatar, changes = organization.avatar, {}
    if event.avatar is not None and event.avatar != avatar.picture:
        changes["avatar"] = _change(avatar.picture and IDENT, IDENT)
        avatar.picture = event.avatar
    type_ = event.avatar_type or ("upload" if event.avatar is not None else avatar.type)
    if type_ != avatar.type:
        changes["avatarType"] = _change(avatar.type, type_)
        avatar.type = type_
    if event.color is not None and event.color != avatar.color:
        changes["color"] = _change(avatar.color, event.color)
        avatar.color = event.color
    return changes


def _change(old: Any, new: Any) -> str:
    """Where there was nothing before, only what there is now is told."""
    return _to(new) if old is None else _from_to(old, new)


def _to(value: Any) -> str:
    return f"to {value}"


def _from_to(old: Any, new: Any) -> str:
    return f"from {old} to {new}"
