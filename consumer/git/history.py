"""Reading a git repository: tags, ranges, and commits with their file changes, by the ``git`` program."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from consumer.contracts.events import CommitData
from consumer.contracts.timestamps import parse_timestamp
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    Note = Callable[[str], None]

# They would make git read another repository than the one that is named.
_MISLEADING = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"}
)
_LOG_FORMAT = "%H%x00%an%x00%ae%x00%aI%x00%B"
_LOG_FIELDS = 5
# A URL with a host, or host:path as ssh takes it; a remote on this machine (file:, a folder) names no owner.
_REMOTE = re.compile(
    r"(?:(?!file:)[a-z][a-z0-9+.-]*://[^/]+/|(?:[^/@:]+@)?[^/:]+:(?!//))/*(?P<name>[^/].*?)/?(?:\.git)?/?",
    re.IGNORECASE,
)
_CHUNK_BYTES = 1024 * 1024

MAX_PATH = 510
MAX_NAME = 128
MAX_EMAIL = 200


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a commit.

    ``sha`` is the commit, ``date`` when the tag was made (of a lightweight tag: its commit).
    """

    name: str
    sha: str
    date: datetime | None


class GitRepository:
    """A git repository on disk, read only.

    Args:
        path: a folder inside a working tree, or a bare repository.
        note: hears, in words for a person, what had to be left out.

    Raises:
        UsageError: git is not installed, or refuses the folder.
    """

    def __init__(self, path: Path, note: Note) -> None:
        self._path = path
        self._note = note
        self._folder = Path(self._text("rev-parse", "--path-format=absolute", "--git-common-dir"))
        shallow = self._folder / "shallow"
        # History is cut below these commits: neither what they change is known, nor what came before them.
        self._boundary = frozenset(shallow.read_text().split()) if shallow.is_file() else frozenset()

    def name(self) -> str:
        """``owner/name`` of the remote ``origin``; the folder's name where that is none, or on this machine."""
        return self.remote_name() or self.folder_name()

    def remote_name(self) -> str | None:
        """``owner/name`` of the remote ``origin``; ``None`` where that is none, or on this machine."""
        remote = self._try_text("config", "--get", "remote.origin.url")
        match = _REMOTE.fullmatch(remote) if remote else None
        return match["name"] if match else None

    def folder_name(self) -> str:
        """The name of the repository's folder."""
        folder = self._folder.parent if self._folder.name == ".git" else self._folder
        return folder.name.removesuffix(".git")

    def resolve(self, revision: str) -> str:
        """The commit that a revision names.

        Raises:
            UsageError: there is no such commit.
        """
        sha = self._try_text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if sha is None:
            fetch = "git fetch --unshallow" if self._boundary else "git fetch --tags"
            msg = f"{self._path} has no commit {revision}; `{fetch}` may get it, `git log` shows what is there"
            raise UsageError(msg)
        return sha

    def head(self) -> str:
        """The newest commit of the branch that is checked out.

        Raises:
            UsageError: the repository has no commits.
        """
        sha = self._try_text("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if sha is None:
            msg = f"{self._path} has no commits on its branch; commit something, or name another folder"
            raise UsageError(msg)
        return sha

    def is_part_of(self, sha: str, later: str) -> bool:
        """Whether a commit is another one, or in its history."""
        return self._try_text("rev-list", "--max-count=1", sha, f"^{later}") == ""

    def describe(self, revision: str) -> str:
        """A short name of a commit: ``git describe --always``."""
        return self._text("describe", "--always", "--tags", revision)

    def commit_date(self, revision: str) -> datetime | None:
        """When a commit was committed; ``None`` where git holds no date that a calendar has."""
        return _date(self._text("show", "--no-patch", "--no-show-signature", "--format=%cI", revision))

    def tags(self) -> list[Tag]:
        """The tags of commits, oldest first; tags of one moment in the order of their versions."""
        listing = self._run(
            "for-each-ref",
            "--sort=version:refname",
            "--sort=creatordate",
            "--format=%(refname:strip=2)%00%(creatordate:iso-strict)",
            "refs/tags",
        )
        rows = [line.split(b"\0") for line in listing.splitlines()]
        # A tag may point to another tag, or to something that is no commit.
        asked = b"".join(b"refs/tags/%b^{commit}\n" % name for name, _ in rows)
        answers = self._run("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).splitlines()
        return [
            Tag(_decode(name), answer.split()[0].decode(), _date(date.decode()))
            for (name, date), answer in zip(rows, answers, strict=True)
            if answer.endswith(b" commit")
        ]

    def merged_tags(self, sha: str) -> set[str]:
        """Names of the tags whose history is part of the commit's."""
        listing = self._run("for-each-ref", "--format=%(refname:strip=2)", f"--merged={sha}", "refs/tags")
        return {_decode(name) for name in listing.splitlines()}

    def commits(self, sha: str, *, since: str | None, limit: int | None) -> list[CommitData]:
        """The commits that lead to ``sha``, newest first, as events list them (without ``repository``).

        Merges come without files; so do commits at the cut of a shallow clone, and those before it do not come. What
        breaks a limit of the contract is left out with a note: a long path, name or e-mail address, a date that no
        calendar has.

        Args:
            sha: the newest commit.
            since: a commit; it and its history are not listed. ``None``: up to the root.
            limit: the newest so many commits, more are left out with a note; ``None``: all.
        """
        with self._log(*_part(sha, since=since, limit=None if limit is None else limit + 1)) as tokens:
            commits = list(self._parse_log(tokens))
        if limit is not None and len(commits) > limit:
            self._note(f"{sha[:12]}: only the {limit} newest commits are taken; --max-commits takes more")
            del commits[limit:]
        return commits

    def lacks_commits(self, sha: str, *, since: str | None, limit: int | None) -> bool:
        """Whether this is a shallow clone that does not have all the commits that ``commits`` would list."""
        if not self._boundary:
            return False
        listed = self._run("rev-list", *_part(sha, since=since, limit=limit)).decode().split()
        return not self._boundary.isdisjoint(listed)

    def _parse_log(self, tokens: Iterator[bytes]) -> Iterator[CommitData]:
        """Commits of ``git log -z --raw``: the fields of the format, then ``:modes shas TYPE`` and path per file."""
        token = next(tokens, None)
        while token is not None:
            sha, name, email, date, message = (
                _decode(field) for field in (token, *(next(tokens) for _ in range(_LOG_FIELDS - 1)))
            )
            patch_set = []
            while (token := next(tokens, None)) is not None and token.lstrip(b"\n").startswith(b":"):
                path = self._within(sha, "path", _decode(next(tokens)), MAX_PATH)
                if path is not None:
                    # T, a change of type such as file to symbolic link, is a change of content for the contract.
                    patch_set.append((path, chr(token[-1]).replace("T", "M")))
            timestamp = _date(date)
            if timestamp is None:
                self._note(f"commit {sha[:12]}: its date {date!r} is left out, no calendar has it")
            yield CommitData(
                id=sha,
                message=message.rstrip("\n"),
                author_name=self._within(sha, "author name", name, MAX_NAME),
                author_email=self._within(sha, "author e-mail address", email, MAX_EMAIL),
                timestamp=timestamp,
                patch_set=[] if sha in self._boundary else patch_set,
            )

    def _within(self, sha: str, what: str, text: str, limit: int) -> str | None:
        if len(text) <= limit:
            return text
        self._note(f"commit {sha[:12]}: its {what} {text[:40]}... is left out, it has more than {limit} characters")
        return None

    def _text(self, *arguments: str) -> str:
        return _decode(self._run(*arguments)).strip()

    def _try_text(self, *arguments: str) -> str | None:
        """Output of a command that may find nothing: then ``None``."""
        result = self._start(*arguments)
        return _decode(result.stdout).strip() if result.returncode == 0 else None

    def _run(self, *arguments: str, stdin: bytes = b"") -> bytes:
        result = self._start(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise UsageError(self._complaint(result.stderr))
        return result.stdout

    def _start(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                self._command(*arguments), input=stdin, capture_output=True, env=_environment(), check=False
            )
        except FileNotFoundError:
            msg = "the program git is not found; install git, or add it to PATH"
            raise UsageError(msg) from None

    @contextmanager
    def _log(self, *arguments: str) -> Iterator[Iterator[bytes]]:
        """The NUL-separated output of ``git log``, as it comes."""
        command = self._command(
            "log",
            "-z",
            "--raw",
            "--no-renames",
            "--no-relative",
            "--no-show-signature",
            "--no-color",
            "--encoding=UTF-8",
            f"--format={_LOG_FORMAT}",
            *arguments,
        )
        with tempfile.TemporaryFile() as stderr:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=_environment()) as process:
                yield _split(cast("IO[bytes]", process.stdout))
            if process.returncode != 0:
                stderr.seek(0)
                raise UsageError(self._complaint(stderr.read()))

    def _command(self, *arguments: str) -> list[str]:
        # showRoot: the default of git, against a configuration that says otherwise.
        return ["git", "-c", "log.showRoot=true", "-C", str(self._path), *arguments]

    def _complaint(self, stderr: bytes) -> str:
        lines = _decode(stderr).strip().splitlines() or ["it gave no reason"]
        return f"git cannot read {self._path}: {lines[0]}; name the folder of a git repository that you may read"


def _part(sha: str, *, since: str | None, limit: int | None) -> list[str]:
    """Arguments of git that say which commits are wanted."""
    bound = [] if limit is None else [f"--max-count={limit}"]
    return [*bound, "--end-of-options", sha, *([] if since is None else [f"^{since}"])]


def _environment() -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in _MISLEADING}, "LC_ALL": "C"}


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """The NUL-terminated pieces of a stream."""
    rest = b""
    while chunk := stream.read(_CHUNK_BYTES):
        *pieces, rest = (rest + chunk).split(b"\0")
        yield from pieces


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")


def _date(text: str) -> datetime | None:
    try:
        return parse_timestamp(text)
    except ValueError:
        return None
