"""``organization-updated``: save details of an organization (seed flows ``save`` and ``save_avatar``, SEMANTICS 10)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import uuid5

from consumer.contracts.organization_options import FLAGS, OPTIONS
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import EventError, Violation
from consumer.handlers.facts import NAMESPACE, Recorder
from consumer.store.rows import Avatar

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.contracts.events import OrganizationUpdated
    from consumer.store.needs import Needs
    from consumer.store.rows import Organization
    from consumer.store.working_set import WorkingSet


@dataclass(slots=True)
class OrganizationUpdatedPlan:
    """A planned ``organization-updated``."""

    event: OrganizationUpdated

    @property
    def sets_commits(self) -> bool:
        """Whether it sets a commit log."""
        return False

    def need(self, needs: Needs) -> None:
        """Name the rows that this event reads."""
        needs.organization(self.event.organization, catalog=True)
        needs.avatars.add(self.event.organization)

    def apply(self, rows: WorkingSet) -> None:
        """Apply the event to the working set; only given keys change.

        Raises:
            EventError: ``avatarType`` is ``upload`` and there is no picture; nothing was changed.
        """
        event = self.event
        known = rows.organizations.get(event.organization)
        if event.avatar_type == "upload" and event.avatar is None and not _has_picture(known):
            reason = "rule"
            raise EventError(reason, [Violation("$.data.avatarType", "cannot be upload without avatar")])
        organization = rows.organization(event.organization)
        changes: dict[str, str] = {}
        for field, value in event.options.items():
            _set_option(organization, field, value, rows.tick(), changes)
        for field, flag in event.flags.items():
            _set_flag(organization, field, flag, changes)
        if event.name is not None and event.name != organization.name:
            changes["name"] = _from_to(organization.name, event.name)
            organization.name = event.name
        if event.default_role is not None and event.default_role != organization.default_role:
            changes["defaultRole"] = _from_to(organization.default_role, event.default_role)
            organization.default_role = event.default_role
        organization.changed = organization.changed or bool(changes)
        _set_avatar(organization, event, changes)
        if changes:
            Recorder(rows, event).organization_updated(organization, changes, event.actor)


def _from_to(before: Any, after: Any) -> str:
    return f"to {after}" if before is None else f"from {before} to {after}"


def _set_option(organization: Organization, field: str, value: Any, now: datetime, changes: dict[str, str]) -> None:
    """Set an option; a first value counts as a change only if it is not the default."""
    if field == "trustedRelays":
        value = _stamp_relays(organization.options.get(field) or [], value or [], now)
    if field in organization.options:
        before = organization.options[field]
        if _told(field, before) == _told(field, value):
            return
        changes[field] = f"from {_told(field, before)} to {_told(field, value)}"
    elif value != OPTIONS[field].default:
        changes[field] = f"to {_told(field, value)}"
    organization.options = organization.options | {field: value}
    organization.changed = True


def _told(field: str, value: Any) -> Any:
    """A value without what only we know of it: when a relay was added."""
    if field != "trustedRelays":
        return value
    return [{name: relay.get(name) for name in ("name", "publicKey", "description")} for relay in value or []]


def _stamp_relays(before: list[dict[str, Any]], after: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Trusted relays with the times of their first and last change; those that are not named are gone."""
    known = {relay["publicKey"]: relay for relay in before}
    stamped = []
    for relay in after:
        old = known.get(relay["publicKey"])
        same = old is not None and _told("trustedRelays", [old]) == _told("trustedRelays", [relay])
        created = old["created"] if old is not None else format_timestamp(now)
        modified = old["lastModified"] if old is not None and same else format_timestamp(now)
        stamped.append({**relay, "created": created, "lastModified": modified})
    return stamped


def _set_flag(organization: Organization, field: str, value: bool, changes: dict[str, str]) -> None:  # noqa: FBT001  # the value itself, not a mode
    flag = FLAGS[field]
    if flag.read(organization.flags) != value:
        organization.flags = flag.write(organization.flags, value)
        changes[field] = f"to {value}"


def _has_picture(organization: Organization | None) -> bool:
    return organization is not None and organization.avatar is not None and organization.avatar.digest is not None


def _set_avatar(organization: Organization, event: OrganizationUpdated, changes: dict[str, str]) -> None:
    """Set the avatar: a new picture gets a new ident and drops the old one; a change of type keeps both."""
    type_ = event.avatar_type or ("upload" if event.avatar is not None else None)
    if type_ is None and event.color is None:
        return
    avatar = organization.avatar
    if avatar is None:
        avatar = organization.avatar = Avatar("letter_avatar", _ident(event), changed=True)
    if event.avatar is not None:
        digest = blake2b(event.avatar, digest_size=16).digest()
        if digest != avatar.digest:
            ident = _ident(event)
            changes["avatar"] = f"from {avatar.ident} to {ident}" if avatar.digest else f"to {ident}"
            avatar.ident, avatar.digest, avatar.content = ident, digest, event.avatar
    if type_ is not None and type_ != avatar.type:
        changes["avatarType"] = _from_to(avatar.type, type_)
        avatar.type = type_
    if event.color is not None and event.color != avatar.color:
        changes["color"] = _from_to(avatar.color, event.color)
        avatar.color = event.color
    avatar.changed = avatar.changed or not changes.keys().isdisjoint({"avatar", "avatarType", "color"})


def _ident(event: OrganizationUpdated) -> str:
    """The ident of a picture: the same whenever the same event is applied, another for every other event."""
    return uuid5(NAMESPACE, f"avatar\n{event.organization}\n{event.source}\n{event.id}").hex
