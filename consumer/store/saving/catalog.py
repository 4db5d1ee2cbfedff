"""Writing organizations with their avatars, projects, environments, repositories and authors."""

from __future__ import annotations

from base64 import b64encode
from itertools import chain
from typing import TYPE_CHECKING

import orjson

from consumer.store.copying import copy_rows, update_rows
from consumer.store.saving.selection import changed, new, new_in_each

if TYPE_CHECKING:
    from consumer.store.database import Cursor
    from consumer.store.working_set import WorkingSet


def save_catalog(cursor: Cursor, rows: WorkingSet) -> None:
    """Write organizations, projects, environments, repositories and authors."""
    now = rows.tick()
    authors = chain.from_iterable(known.values() for known in rows.authors.values())
    organizations = rows.organizations.values()
    copy_rows(
        cursor,
        "organization",
        "id, slug, name, default_role, flags, options, date_added",
        [
            (r.id, r.slug, r.name, r.default_role, r.flags, orjson.dumps(r.options).decode(), now)
            for r in new(rows.organizations)
        ],
    )
    update_rows(
        cursor,
        "update_organizations",
        [
            {
                "id": r.id,
                "name": r.name,
                "default_role": r.default_role,
                "flags": r.flags,
                "options": r.options,
                "xmin": r.xmin,
            }
            for r in changed(organizations)
        ],
    )
    update_rows(
        cursor,
        "upsert_avatars",
        [
            {
                "organization_id": r.id,
                "type": r.avatar.type,
                "ident": r.avatar.ident,
                "digest": r.avatar.digest.hex() if r.avatar.digest else None,
                "color": r.avatar.color,
                "content": b64encode(r.avatar.content).decode() if r.avatar.content is not None else None,
            }
            for r in sorted(organizations, key=lambda row: row.id)
            if r.avatar is not None and r.avatar.changed
        ],
    )
    copy_rows(
        cursor,
        "project",
        "id, organization_id, slug, name, platform, date_added",
        [(r.id, r.organization_id, r.slug, r.name, r.platform, now) for r in new(rows.projects)],
    )
    update_rows(
        cursor,
        "update_projects",
        [{"id": r.id, "name": r.name, "platform": r.platform, "xmin": r.xmin} for r in changed(rows.projects.values())],
    )
    copy_rows(
        cursor,
        "environment",
        "id, organization_id, name, date_added",
        [(r.id, r.organization_id, r.name, now) for r in new(rows.environments)],
    )
    copy_rows(
        cursor,
        "repository",
        "id, organization_id, name",
        [(r.id, r.organization_id, r.name) for r in new(rows.repositories)],
    )
    copy_rows(
        cursor,
        "commit_author",
        "id, organization_id, email, name",
        [(r.id, r.organization_id, r.email, r.name) for r in new_in_each(rows.authors)],
    )
    update_rows(
        cursor,
        "update_authors",
        [{"id": r.id, "name": r.name, "xmin": r.xmin} for r in changed(authors)],
    )
