"""Organizations as people and programs read them (SEMANTICS section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.contracts.organization_options import FLAGS, OPTIONS
from consumer.contracts.timestamps import format_timestamp
from consumer.errors import UsageError
from consumer.store.reading.documents import rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from consumer.store.reading.documents import Document

_LETTER_COLORS = (
    *("#4674ca", "#315cac", "#57be8c", "#3fa372", "#f9a66d", "#ec5e44"),
    *("#e63717", "#f868bc", "#6c5fc7", "#4e3fb4", "#57b1be", "#847a8c"),
)
"""The colours that Sentry draws letter avatars in."""


def unknown_organization(slug: str) -> UsageError:
    """The error for an organization that no event has named yet."""
    return UsageError(f"there is no organization {slug!r}; check the slug, or publish an event that names it")


def show_organization(connection: Connection, slug: str) -> Document:
    """An organization with its details, options, flags and avatar, in one statement.

    Args:
        connection: any.
        slug: of the organization.

    Returns:
        ``options`` has every option with the value that holds: the one that was set, else the default. The colour of
        the avatar is the one that was set, else that of ``letter_color``.

    Raises:
        UsageError: there is no such organization.
    """
    found = rows(connection, "read_organization", organization=slug)
    if not found:
        raise unknown_organization(slug)
    organization = found[0]
    return {
        "id": organization.id,
        "slug": organization.slug,
        "name": organization.name,
        "dateCreated": format_timestamp(organization.date_added),
        "defaultRole": organization.default_role,
        "options": {field: organization.options.get(field, option.default) for field, option in OPTIONS.items()},
        "flags": {field: flag.read(organization.flags) for field, flag in FLAGS.items()},
        "avatar": {
            "type": organization.avatar_type or "letter_avatar",
            "ident": organization.avatar_ident,
            "fileName": picture_name(slug) if organization.has_picture else None,
            "color": organization.avatar_color or letter_color(slug),
        },
    }


def read_picture(connection: Connection, slug: str) -> bytes:
    """The picture of an organization's avatar, as it was uploaded.

    Args:
        connection: any.
        slug: of the organization.

    Raises:
        UsageError: there is no such organization, or it has no picture.
    """
    found = rows(connection, "read_organization_picture", organization=slug)
    if not found:
        raise unknown_organization(slug)
    content = found[0].content
    if content is None:
        message = f"organization {slug} has no picture; publish organization-updated with avatar"
        raise UsageError(message)
    return bytes(content)


def picture_name(slug: str) -> str:
    """The file name of an organization's picture, whatever its format."""
    return f"{slug}.png"


def letter_color(slug: str) -> str:
    """The colour of a letter avatar that nobody chose one for: the slug's code points, added up, choose it."""
    return _LETTER_COLORS[sum(map(ord, slug)) % len(_LETTER_COLORS)]
