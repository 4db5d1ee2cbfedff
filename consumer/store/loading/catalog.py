"""Reading organizations, projects, environments and avatars."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from consumer.store.rows import Avatar, Environment, Organization

if TYPE_CHECKING:
    from consumer.store.loading.session import Session


def lock_organizations(session: Session) -> None:
    """Order this batch against others of the same organizations, until it commits."""
    locks = sorted((_lock_number(slug), exclusive) for slug, exclusive in session.needs.organizations.items())
    session.query("lock_organizations", locks=[{"lock": lock, "exclusive": exclusive} for lock, exclusive in locks])


def load_organizations(session: Session) -> None:
    """The organizations of all events."""
    for id_, slug, name, default_role, flags, options, xmin in session.query(
        "load_organizations", slugs=session.needs.organizations
    ):
        session.rows.organizations[slug] = Organization(
            id=id_,
            slug=slug,
            name=name,
            default_role=default_role,
            flags=flags,
            options=options,
            stored=True,
            xmin=xmin,
        )


def load_projects(session: Session) -> None:
    """The projects that events name."""
    for id_, organization_id, slug, name, platform, xmin in session.query(
        "load_projects", keys=session.keys("slug", session.needs.projects)
    ):
        project = session.project(id_, organization_id, slug)
        project.name, project.platform, project.xmin = name, platform, xmin
        session.rows.projects[organization_id, slug] = project


def load_environments(session: Session) -> None:
    """The environments that deploys go to."""
    for id_, organization_id, name in session.query(
        "load_environments", keys=session.keys("name", session.needs.environments)
    ):
        environment = Environment(id=id_, organization_id=organization_id, name=name, stored=True)
        session.rows.environments[organization_id, name] = environment


def load_avatars(session: Session) -> None:
    """The avatars of organizations whose details are saved, without their pictures."""
    organizations = session.rows.organizations
    wanted = {organizations[slug].id: organizations[slug] for slug in session.needs.avatars if slug in organizations}
    for organization_id, type_, ident, digest, color in session.query("load_avatars", organizations=wanted):
        avatar = Avatar(type_, ident, None if digest is None else bytes(digest), color)
        wanted[organization_id].avatar = avatar


def _lock_number(slug: str) -> int:
    """A 64-bit advisory lock number for an organization."""
    return int.from_bytes(blake2b(f"organization:{slug}".encode(), digest_size=8).digest(), signed=True)
