"""Authors of commits and pull requests (SEMANTICS section 4, step 4)."""

from __future__ import annotations

import re

EMAIL_LENGTH = 75
"""Longer addresses are cut, as Sentry does: the first 72 characters and three dots."""

_NOT_IN_LOCAL_PART = re.compile(r"[^\w.\-]")


def author_email(email: str | None, name: str | None) -> str | None:
    """The address that identifies an author, in the spelling given (identity is by its lower case).

    Args:
        email: as the event has it; ``None`` is missing, blank means no author.
        name: what a missing address is made from: ``<name>@localhost``.

    Returns:
        ``None`` where there is no author.
    """
    if email is None and name:
        local_part = _NOT_IN_LOCAL_PART.sub("", name.lower())
        email = f"{local_part}@localhost" if local_part else None
    if not email or email.isspace():
        return None
    return email if len(email) <= EMAIL_LENGTH else email[: EMAIL_LENGTH - 3] + "..."
