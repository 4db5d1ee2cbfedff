"""What the demo publishes: the history of a real git repository, and a few events of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from consumer.contracts.timestamps import format_timestamp
from consumer.errors import UsageError
from consumer.git.history import GitRepository
from consumer.git.releases import GitRelease, Target, release_events, releases_of_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from consumer.client import Document
    from consumer.git.history import Tag

ORGANIZATION = "demo"
PROJECT = "demo"
GROUP = "DEMO-1"
VERSION = "demo-fix"
"""The release that the demo adds to those of the repository."""

_SOURCE = "release-consumer-demo"
_MIN_RELEASES = 3
_MAX_RELEASES = 20
_MAX_COMMITS = 5000
_COMMITS_OF_FIRST_RELEASE = 1000
_HINT_OF_ANOTHER_COMMAND = "; --max-commits takes more"
_CUT_INTO = 4
_CUT_DEPTH = 200
"""A history without tags is cut within its so many newest commits (of the main line)."""


@dataclass(frozen=True, slots=True)
class History:
    """The releases of a git repository as events.

    Args:
        repository: name of the repository in the events.
        releases: how many releases.
        commits: how many commits they list.
        cut: whether the demo made the releases itself, for want of tags.
        events: oldest release first; two events a release.
    """

    repository: str
    releases: int
    commits: int
    cut: bool
    events: list[Document]


def read_history(path: Path, note: Callable[[str], None]) -> History:
    """Read the newest releases of a repository: those of its tags, else its history is cut into some.

    Args:
        path: a folder of the repository.
        note: hears, in words for a person, what was left out.

    Raises:
        UsageError: it is no git repository, or has no commits.
    """
    git = _NewestTags(path, lambda text: note(text.removesuffix(_HINT_OF_ANOTHER_COMMAND)))
    tagged = [release for release in releases_of_tags(git, "", note) if release.ref != release.sha]
    releases = tagged
    if len(tagged) < _MIN_RELEASES:
        cut = _cut(git)
        releases = cut if len(cut) > len(tagged) else tagged
    target = Target(ORGANIZATION, PROJECT, git.name())
    chosen: list[list[Document]] = []
    commits = 0
    for release in reversed(releases):
        events = list(release_events(git, release, target, max_commits=_COMMITS_OF_FIRST_RELEASE))
        listed = sum(len(event["data"].get("commits", ())) for event in events)
        if chosen and commits + listed > _MAX_COMMITS:
            note(f"releases up to {release.version} are left out: with them it would be over {_MAX_COMMITS} commits")
            break
        chosen.insert(0, events)
        commits += listed
    return History(
        repository=target.repository,
        releases=len(chosen),
        commits=commits,
        cut=releases is not tagged,
        events=[event for events in chosen for event in events],
    )


def added_events(repository: str, now: datetime) -> list[Document]:
    """The events that no git history holds: a group, and a release with a commit that resolves it.

    Args:
        repository: name of the repository that the commit is said to be of.
        now: when it happens; the same time makes the same events.
    """
    time = format_timestamp(now, "milliseconds")
    group = {
        "organization": ORGANIZATION,
        "project": PROJECT,
        "shortId": GROUP,
        "title": "Checkout fails for baskets over 99 items",
        "inbox": "new",
        "externalIssues": [{"provider": "github", "key": "demo/demo#7"}],
    }
    release = {"organization": ORGANIZATION, "version": VERSION, "projects": [PROJECT]}
    commit = {
        "id": hashlib.sha1(time.encode(), usedforsecurity=False).hexdigest(),
        "repository": repository,
        "message": f"Count baskets with more digits\n\nFixes {GROUP}",
        "author_name": "Ada Example",
        "author_email": "ada@example.org",
        "timestamp": time,
        "patch_set": [{"path": "basket.py", "type": "M"}],
    }
    return [
        _event("group-updated", group),
        _event("release-created", {**release, "dateReleased": time}),
        _event("commits-pushed", {**release, "commits": [commit]}),
    ]


def sent_by_a_rerun(events: Sequence[Document]) -> list[Document]:
    """The release events as another run of CI would send them: the same content under new ids."""
    return [
        {**event, "id": str(uuid5(NAMESPACE_URL, f"rerun {event['id']}"))}
        for event in events
        if event["type"] in {"release-created", "commits-pushed"}
    ]


class _NewestTags(GitRepository):
    """A repository of which only the newest tags are told: a demo need not go back to the first."""

    def tags(self) -> list[Tag]:
        """The newest tags, oldest first."""
        tags = super().tags()
        if len(tags) > _MAX_RELEASES:
            self._note(f"only the {_MAX_RELEASES} newest of {len(tags)} tags are taken")
        return tags[-_MAX_RELEASES:]


def _cut(git: GitRepository) -> list[GitRelease]:
    """Releases at even distances on the main line, which ends at HEAD."""
    head = git.head()
    length = _length_of_main_line(git, head)
    ends = sorted({length * part // _CUT_INTO for part in range(_CUT_INTO)})
    shas = [git.resolve(f"{head}~{back}") for back in reversed(ends)]
    releases = []
    since: str | None = None
    for sha in shas:
        date = git.commit_date(sha)
        version = f"{date:%Y.%m.%d}-{sha[:7]}" if date else sha[:12]
        releases.append(GitRelease(version, ref=sha, sha=sha, since=since, date=date))
        since = sha
    return releases


def _length_of_main_line(git: GitRepository, head: str) -> int:
    """How many commits the main line has, up to ``_CUT_DEPTH``."""

    def has(back: int) -> bool:
        try:
            git.resolve(f"{head}~{back}")
        except UsageError:
            return False
        return True

    low, high = 0, _CUT_DEPTH  # has(low), and nothing is asked beyond high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if has(middle) else (low, middle)
    return low + 1


def _event(type_: str, data: dict[str, Any]) -> Document:
    id_ = f"{type_} {data.get('shortId') or data['version']}"
    return {"specversion": "1.0", "id": id_, "source": _SOURCE, "type": type_, "data": data}
