"""The account that a server runs under which refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_USER = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """How to run a program without being root.

    Args:
        prefix: program and arguments to put before the command; empty for an ordinary user.
        owner: user and group id that its files must belong to; ``None``: this user's, as they are anyway.
    """

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.owner is not None:
            os.chown(path, *self.owner)


def ordinary_account(paths: Iterable[Path]) -> Account:
    """This account where it is an ordinary one; ``nobody`` for root.

    Args:
        paths: absolute paths that the program must reach. Where a folder on the way is closed to others (such as
            root's home), the program keeps the capability to pass it: opening the folder to everybody is not ours.

    Raises:
        UsageError: root, and ``setpriv`` is not installed.
    """
    if os.geteuid() != 0:
        return Account()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        msg = "PostgreSQL does not run as root and setpriv is missing; install util-linux or run as an ordinary user"
        raise UsageError(msg)
    entry = pwd.getpwnam(_USER)
    prefix = [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    if any(_is_closed(folder) for path in paths for folder in path.parents):
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return Account((*prefix, "--"), (entry.pw_uid, entry.pw_gid))


def _is_closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH
