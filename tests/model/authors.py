"""Who wrote a commit or a pull request (SEMANTICS section 4.4, authors)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tests.model.state import Author, Organization

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_EMAIL = 75
ELLIPSIS = "..."


class Authored(Protocol):
    """What says who wrote it: a commit or a pull request of an event."""

    author_name: str | None
    author_email: str | None


def email_spelling(authored: Authored) -> str | None:
    """Return the e-mail of the author as spelt, made up from the name where it is missing; ``None`` = no author."""
    email = authored.author_email
    if email is None and authored.author_name:
        kept = "".join(letter for letter in authored.author_name.lower() if letter.isalnum() or letter in "_.-")
        email = f"{kept}@localhost" if kept else None
    if email and len(email) > LONGEST_EMAIL:
        email = email[: LONGEST_EMAIL - len(ELLIPSIS)] + ELLIPSIS
    return email if email and not email.isspace() else None


def author_of(organization: Organization, authored: Authored) -> Author | None:
    """Get or create the author, found by lower-cased e-mail; the name is left to ``learn_names``."""
    spelling = email_spelling(authored)
    if spelling is None:
        return None
    return organization.authors.setdefault(spelling.lower(), Author(spelling.lower()))


def learn_names(organization: Organization, items: Sequence[Authored]) -> None:
    """Store the names that the items, newest first, give to their authors.

    Per exact spelling of an e-mail the first item that gives a name decides. Different spellings of one lower-cased
    e-mail apply one after the other, so the last spelling to be named wins. An absent name never erases a stored one.
    """
    names: dict[str, str] = {}
    for item in items:
        spelling = email_spelling(item)
        if spelling is not None and item.author_name is not None:
            names.setdefault(spelling, item.author_name)
    for spelling, name in names.items():
        organization.authors.setdefault(spelling.lower(), Author(spelling.lower())).name = name
