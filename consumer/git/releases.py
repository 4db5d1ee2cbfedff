"""From the history of a git repository to releases and their events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumer.client import Document, Documents
from consumer.contracts import is_version
from consumer.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from consumer.git.history import GitRepository, Tag


@dataclass(frozen=True, slots=True)
class Target:
    """Whose releases they are: slugs of organization and project, and the repository's name there."""

    organization: str
    project: str
    repository: str


@dataclass(frozen=True, slots=True)
class GitRelease:
    """A release as git knows it.

    Args:
        version: its version.
        ref: what it was built from: a tag, or a commit.
        sha: its commit.
        since: the commit of the release before it, whose history is not listed; ``None`` for the first one.
        date: when it was made; ``None`` where git holds no usable date.
    """

    version: str
    ref: str
    sha: str
    since: str | None
    date: datetime | None


def release_of_range(git: GitRepository, range_: str, version: str) -> GitRelease:
    """The release of the commits after A up to B, for the range ``A..B``; without B up to HEAD.

    Raises:
        ValueError: it is not a range.
        UsageError: it names a commit that the repository does not have, or holds no commits: published, an empty list
            would clear the commit log of a release that has one.
    """
    start, end = split_range(range_)
    sha, since = git.resolve(end), git.resolve(start)
    if git.is_part_of(sha, since):
        msg = (
            f"the range {range_} holds no commits: sent, it would clear the commit log of release {version}; "
            f"start at an earlier commit, such as --range {end}~3..{end}"
        )
        raise UsageError(msg)
    return GitRelease(version, ref=sha, sha=sha, since=since, date=git.commit_date(sha))


def split_range(range_: str) -> tuple[str, str]:
    """Start and end of a range ``A..B``; without B the end is HEAD.

    Raises:
        ValueError: it is not a range.
    """
    start, separator, end = range_.partition("..")
    if not separator or not start or end.startswith("."):
        msg = f"{range_!r} is not a range; write A..B, such as v1.3..v1.4"
        raise ValueError(msg)
    return start, end or "HEAD"


def releases_of_tags(git: GitRepository, prefix: str, note: Callable[[str], None]) -> list[GitRelease]:
    """A release per tag, oldest first; in a repository without tags one release of HEAD.

    The version is ``prefix`` and the tag's name with ``/`` as ``-``. A release starts after the last tag before it
    that its history holds.

    Args:
        git: the repository.
        prefix: put before the tag's name.
        note: hears which tags make no version, and are left out.

    Raises:
        UsageError: the repository has neither tags nor commits.
    """
    tags = git.tags()
    if not tags:
        sha = git.head()
        return [GitRelease(f"{prefix}{git.describe(sha)}", ref=sha, sha=sha, since=None, date=git.commit_date(sha))]
    releases = []
    for index, tag in enumerate(tags):
        version = prefix + tag.name.replace("/", "-")
        if is_version(version):
            releases.append(GitRelease(version, tag.name, tag.sha, _since(git, tag, tags[:index]), tag.date))
        else:
            note(f"tag {tag.name} is left out: {version!r} cannot be a version")
    return releases


def refuse_cut(git: GitRepository, releases: Iterable[GitRelease], *, max_commits: int) -> None:
    """Look whether the repository has all commits of these releases, before any of them is published.

    Args:
        git: the repository.
        releases: which releases.
        max_commits: as for ``release_events``.

    Raises:
        UsageError: it is a shallow clone that lacks some. Published, the others would pass for all.
    """
    for release in releases:
        if git.lacks_commits(release.sha, since=release.since, limit=_limit(release, max_commits)):
            msg = (
                f"release {release.version}: the repository is a shallow clone that lacks commits before"
                f" {release.sha[:12]}; get them by `git fetch --unshallow --tags` (in CI: fetch-depth: 0), or name"
                " commits that are there, as in --range HEAD~1..HEAD --version V"
            )
            raise UsageError(msg)


def release_events(git: GitRepository, release: GitRelease, target: Target, *, max_commits: int) -> Iterator[Document]:
    """The events of a release: it was created, and its commits were pushed. The same input makes the same events.

    Args:
        git: the repository.
        release: which release.
        target: whose release it is.
        max_commits: the newest so many commits of a release that has no release before it.
    """
    events = Documents(f"git:{target.repository}")
    yield events.release_created(
        organization=target.organization,
        version=release.version,
        projects=[target.project],
        ref=release.ref,
        date_released=release.date,
    )
    yield events.commits_pushed(
        organization=target.organization,
        version=release.version,
        projects=[target.project],
        commits=[
            replace(commit, repository=target.repository)
            for commit in git.commits(release.sha, since=release.since, limit=_limit(release, max_commits))
        ],
    )


def _limit(release: GitRelease, max_commits: int) -> int | None:
    """How many commits of a release are taken, at most; of one after another release, all."""
    return max_commits if release.since is None else None


def _since(git: GitRepository, tag: Tag, earlier: list[Tag]) -> str | None:
    """The commit of the last earlier tag that is part of the tag's history; a tag of the same commit is none."""
    merged = git.merged_tags(tag.sha) if earlier else frozenset()
    return next((other.sha for other in reversed(earlier) if other.name in merged and other.sha != tag.sha), None)
