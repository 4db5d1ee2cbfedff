"""Real git repositories, read as releases and commits."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from consumer.contracts import CommitData, validate
from consumer.demo.history import read_history
from consumer.errors import UsageError
from consumer.git.history import GitRepository
from consumer.git.releases import Target, refuse_cut, release_events, release_of_range, releases_of_tags

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target("acme", "web", "example/web")


class Sandbox:
    """A git repository to write history into; every commit is a minute after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.minute = 0
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, **environment: str) -> str:
        identity = {
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.com",
            "GIT_COMMITTER_NAME": "Ci",
            "GIT_COMMITTER_EMAIL": "ci@example.com",
            "GIT_AUTHOR_DATE": f"2024-05-01T12:{self.minute:02}:00+02:00",
            "GIT_COMMITTER_DATE": f"2024-05-01T13:{self.minute:02}:00+02:00",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(
            ["git", "-C", self.path, *arguments],
            env={**os.environ, **identity, **environment},
            stdout=subprocess.PIPE,
            check=True,
        )
        return done.stdout.decode().strip()

    def write(self, path: str | bytes, text: str = "x") -> None:
        file = self.path / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as stream:
            stream.write(text)

    def raw_commit(self, author: bytes, message: bytes) -> str:
        """A commit of no files as other programs than git may have written it."""
        tree = self.git("hash-object", "-t", "tree", "-w", os.devnull).encode()
        content = self.path / "raw"
        content.write_bytes(b"tree %b\nauthor %b\ncommitter C <c> 0 +0000\n\n%b" % (tree, author, message))
        return self.git("hash-object", "-t", "commit", "-w", "--literally", str(content))

    def commit(self, message: str, *paths: str | bytes, **environment: str) -> str:
        self.minute += 1
        for path in paths:
            self.write(path)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--message", message, **environment)
        return self.git("rev-parse", "HEAD")


def shallow_clone(sandbox: Sandbox, folder: Path, *, depth: int) -> Sandbox:
    """A clone of the newest commits only, as CI makes it."""
    clone = Sandbox(folder / "clone")
    clone.git("fetch", "--quiet", f"--depth={depth}", sandbox.path.as_uri(), "main")
    clone.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    return clone


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path / "web.git")


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def misleading_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a hook of another repository."""
    for name in ("GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


def read(sandbox: Sandbox, notes: list[str]) -> GitRepository:
    return GitRepository(sandbox.path, notes.append)


def events(sandbox: Sandbox, notes: list[str], *, prefix: str = "", max_commits: int = 1000) -> list[dict[str, Any]]:
    git = read(sandbox, notes)
    found = [
        event
        for release in releases_of_tags(git, prefix, notes.append)
        for event in release_events(git, release, TARGET, max_commits=max_commits)
    ]
    assert [violation for event in found for violation in validate(event)] == []
    return found


def logs(found: list[dict[str, Any]]) -> dict[str, list[str]]:
    """First lines of the messages per version."""
    return {
        event["data"]["version"]: [commit["message"].partition("\n")[0] for commit in event["data"]["commits"]]
        for event in found
        if event["type"] == "commits-pushed"
    }


class TestCommits:
    def test_all_of_a_commit(self, sandbox: Sandbox, notes: list[str]) -> None:
        first = sandbox.commit("Start", "kept.py", "gone.py")
        (sandbox.path / "gone.py").unlink()
        second = sandbox.commit("Fixes WEB-12\n\nBody, ümläut\n", "kept.py", "new dir/ne\tw\n.py")

        assert read(sandbox, notes).commits(second, since=None, limit=None) == [
            CommitData(
                id=second,
                message="Fixes WEB-12\n\nBody, ümläut",
                author_name="Ada",
                author_email="ada@example.com",
                timestamp=datetime(2024, 5, 1, 10, 2, tzinfo=UTC),
                patch_set=[("gone.py", "D"), ("kept.py", "M"), ("new dir/ne\tw\n.py", "A")],
            ),
            CommitData(
                id=first,
                message="Start",
                author_name="Ada",
                author_email="ada@example.com",
                timestamp=datetime(2024, 5, 1, 10, 1, tzinfo=UTC),
                patch_set=[("gone.py", "A"), ("kept.py", "A")],
            ),
        ]

    def test_rename_is_an_addition_and_a_deletion_and_a_new_kind_of_file_a_change(
        self, sandbox: Sandbox, notes: list[str]
    ) -> None:
        sandbox.git("config", "diff.renames", "copies")
        sandbox.commit("Start", "old.py", "link")
        sandbox.git("mv", "old.py", "new.py")
        (sandbox.path / "link").unlink()
        (sandbox.path / "link").symlink_to("new.py")
        sha = sandbox.commit("Rename")

        [commit, _] = read(sandbox, notes).commits(sha, since=None, limit=None)

        assert commit.patch_set == [("link", "M"), ("new.py", "A"), ("old.py", "D")]

    def test_merge_is_listed_without_files_and_an_empty_message_is_kept(
        self, sandbox: Sandbox, notes: list[str]
    ) -> None:
        sandbox.commit("Start", "a")
        sandbox.git("checkout", "--quiet", "-b", "side")
        sandbox.commit("Side", "b")
        sandbox.git("checkout", "--quiet", "main")
        sandbox.commit("", "c")
        sandbox.minute += 1
        sandbox.git("merge", "--quiet", "--message", "Merge", "side")

        found = read(sandbox, notes).commits("HEAD", since=None, limit=None)

        assert [(commit.message, len(commit.patch_set)) for commit in found] == [
            ("Merge", 0),
            ("", 1),
            ("Side", 1),
            ("Start", 1),
        ]

    def test_odd_bytes_are_replaced(self, sandbox: Sandbox, notes: list[str]) -> None:
        sha = sandbox.commit("Path", b"latin-\xe9.txt")
        raw = sandbox.raw_commit(b"A\xe9 <a\xff@example.com> 1714557600 +0200", b"Message \xff")
        git = read(sandbox, notes)

        assert git.commits(sha, since=None, limit=None)[0].patch_set == [("latin-\ufffd.txt", "A")]
        assert git.commits(raw, since=None, limit=None) == [
            CommitData(
                id=raw,
                message="Message \ufffd",
                author_name="A\ufffd",
                author_email="a\ufffd@example.com",
                timestamp=datetime(2024, 5, 1, 10, tzinfo=UTC),
            )
        ]

    @pytest.mark.parametrize("date", [b"99999999999999 +0000", b"1714557600 +9999", b"soon"])
    def test_date_that_no_calendar_has_is_left_out_with_a_note(
        self, sandbox: Sandbox, notes: list[str], date: bytes
    ) -> None:
        raw = sandbox.raw_commit(b"A <a> " + date, b"Odd")

        [commit] = read(sandbox, notes).commits(raw, since=None, limit=None)

        assert commit.timestamp is None
        assert len(notes) == 1
        assert notes[0].startswith(f"commit {raw[:12]}: its date ")

    def test_what_is_too_long_is_left_out_with_a_note(self, sandbox: Sandbox, notes: list[str]) -> None:
        long_path = "/".join(["d" * 100] * 5 + ["f" * 10])
        sha = sandbox.commit(
            "Long", "short", long_path, GIT_AUTHOR_NAME="n" * 129, GIT_AUTHOR_EMAIL=f"{'e' * 200}@example.com"
        )

        [commit] = read(sandbox, notes).commits(sha, since=None, limit=None)

        assert (commit.author_name, commit.author_email) == (None, None)
        assert commit.patch_set == [("short", "A")]
        assert len(notes) == 3
        assert all("is left out, it has more than" in note for note in notes)

    def test_limit_takes_the_newest_with_a_note(self, sandbox: Sandbox, notes: list[str]) -> None:
        for message in ("1", "2", "3"):
            sha = sandbox.commit(message)

        found = read(sandbox, notes).commits(sha, since=None, limit=2)

        assert [commit.message for commit in found] == ["3", "2"]
        assert notes == [f"{sha[:12]}: only the 2 newest commits are taken; --max-commits takes more"]


class TestTags:
    def test_a_release_per_tag_with_the_commits_since_the_one_before(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sandbox.commit("2")
        sandbox.git("tag", "v1.0")
        first = sandbox.git("rev-parse", "HEAD")
        sandbox.commit("3")
        sandbox.minute += 1
        sandbox.git("tag", "--annotate", "release/2.0", "--message", "Second")

        found = events(sandbox, notes)

        assert [(event["type"], event["data"]["version"]) for event in found] == [
            ("release-created", "v1.0"),
            ("commits-pushed", "v1.0"),
            ("release-created", "release-2.0"),
            ("commits-pushed", "release-2.0"),
        ]
        assert logs(found) == {"v1.0": ["2", "1"], "release-2.0": ["3"]}
        assert found[0]["data"] == {
            "organization": "acme",
            "version": "v1.0",
            "projects": ["web"],
            "ref": "v1.0",
            "dateReleased": "2024-05-01T11:02:00Z",
        }
        assert found[2]["data"]["ref"] == "release/2.0"
        assert found[2]["data"]["dateReleased"] == "2024-05-01T11:04:00Z"
        assert found[1]["data"]["commits"][0]["id"] == first
        assert {event["source"] for event in found} == {"git:example/web"}
        assert {commit["repository"] for commit in found[1]["data"]["commits"]} == {"example/web"}
        assert notes == []

    def test_a_tag_of_another_branch_is_no_release_before(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sandbox.git("tag", "v1.0")
        sandbox.git("checkout", "--quiet", "-b", "stable")
        sandbox.commit("1.1")
        sandbox.git("tag", "v1.1")
        sandbox.git("checkout", "--quiet", "main")
        sandbox.commit("2")
        sandbox.git("tag", "v2.0")

        assert logs(events(sandbox, notes)) == {"v1.0": ["1"], "v1.1": ["1.1"], "v2.0": ["2"]}

    def test_tags_of_one_commit_are_releases_of_the_same_commits(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sandbox.git("tag", "v1.0")
        sandbox.commit("2")
        sandbox.git("tag", "v1.10")
        sandbox.git("tag", "v1.9")

        assert list(logs(events(sandbox, notes)).items()) == [("v1.0", ["1"]), ("v1.9", ["2"]), ("v1.10", ["2"])]

    def test_tags_of_tags_count_and_tags_of_files_do_not(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1", "a")
        sandbox.git("tag", "--annotate", "inner", "--message", "x")
        sandbox.git("tag", "--annotate", "outer", "inner", "--message", "x")
        sandbox.git("tag", "file", "HEAD:a")

        assert logs(events(sandbox, notes)) == {"inner": ["1"], "outer": ["1"]}

    def test_prefix_and_tags_that_are_no_versions(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sandbox.git("tag", "latest")

        assert logs(events(sandbox, notes)) == {}
        assert notes == ["tag latest is left out: 'latest' cannot be a version"]
        assert logs(events(sandbox, notes, prefix="web@")) == {"web@latest": ["1"]}

    def test_no_tags_is_one_release_of_head(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sha = sandbox.commit("2")

        found = events(sandbox, notes)

        version = found[0]["data"]["version"]
        assert sha.startswith(version)
        assert logs(found) == {version: ["2", "1"]}
        assert found[0]["data"]["ref"] == sha

    def test_same_input_same_ids_and_other_input_other_ids(self, sandbox: Sandbox, notes: list[str]) -> None:
        sandbox.commit("1")
        sandbox.git("tag", "v1.0")

        ids = [event["id"] for event in events(sandbox, notes)]
        other = [event["id"] for event in events(sandbox, notes, prefix="web@")]

        assert ids == [event["id"] for event in events(sandbox, notes)]
        assert len({*ids, *other}) == 4

    def test_what_a_shallow_clone_holds_whole_is_published(
        self, sandbox: Sandbox, notes: list[str], tmp_path: Path
    ) -> None:
        for message in "123":
            sandbox.commit(message, message)
        git = read(shallow_clone(sandbox, tmp_path, depth=2), notes)

        release = release_of_range(git, "HEAD~1..HEAD", "1.0")
        refuse_cut(git, [release], max_commits=1)
        _, pushed = release_events(git, release, TARGET, max_commits=1)

        [commit] = pushed["data"]["commits"]
        assert (commit["message"], commit["patch_set"]) == ("3", [{"path": "3", "type": "A"}])
        assert notes == []

    def test_a_release_whose_commits_a_shallow_clone_lacks_is_refused(
        self, sandbox: Sandbox, notes: list[str], tmp_path: Path
    ) -> None:
        for message in "1234":
            sandbox.commit(message)
        clone = shallow_clone(sandbox, tmp_path, depth=3)
        clone.git("tag", "v1", "HEAD~1")
        clone.git("tag", "v2")
        git = read(clone, notes)
        first, second = releases_of_tags(git, "", notes.append)

        refuse_cut(git, [second], max_commits=1)
        refuse_cut(git, [first, second], max_commits=1)
        with pytest.raises(UsageError, match=r"release v1: .* lacks commits .*`git fetch --unshallow --tags`"):
            refuse_cut(git, [second, first], max_commits=2)
        clone.git("fetch", "--quiet", "--unshallow", sandbox.path.as_uri())
        refuse_cut(read(clone, notes), [first, second], max_commits=2)

    def test_the_demo_takes_what_a_shallow_clone_holds(
        self, sandbox: Sandbox, notes: list[str], tmp_path: Path
    ) -> None:
        for message in "123":
            sandbox.commit(message)

        history = read_history(shallow_clone(sandbox, tmp_path, depth=2).path, notes.append)

        assert list(logs(history.events).values()) == [["2"], ["3"]]


class TestRange:
    def test_commits_after_the_start_up_to_the_end(self, sandbox: Sandbox, notes: list[str]) -> None:
        start, _, end, _ = [sandbox.commit(message) for message in "1234"]
        git = read(sandbox, notes)

        release = release_of_range(git, f"{start}..{end}", "1.0")
        created, pushed = release_events(git, release, TARGET, max_commits=1)

        assert created["data"] == {
            "organization": "acme",
            "version": "1.0",
            "projects": ["web"],
            "ref": end,
            "dateReleased": "2024-05-01T11:03:00Z",
        }
        assert [commit["message"] for commit in pushed["data"]["commits"]] == ["3", "2"]

    def test_without_an_end_it_goes_up_to_head(self, sandbox: Sandbox, notes: list[str]) -> None:
        start, end = sandbox.commit("1"), sandbox.commit("2")

        assert release_of_range(read(sandbox, notes), f"{start}..", "1.0").sha == end

    @pytest.mark.parametrize("range_", ["main", "..main", "a...b", "main..nowhere", "--output=x..main"])
    def test_what_is_no_range_here_is_refused(self, sandbox: Sandbox, notes: list[str], range_: str) -> None:
        sandbox.commit("1")

        with pytest.raises((UsageError, ValueError), match=r"is not a range|has no commit"):
            release_of_range(read(sandbox, notes), range_, "1.0")

    def test_a_range_without_commits_is_refused(self, sandbox: Sandbox, notes: list[str]) -> None:
        first, second = sandbox.commit("1"), sandbox.commit("2")

        for range_ in ("HEAD..HEAD", f"{second}..{first}"):
            with pytest.raises(
                UsageError, match=r"holds no commits: sent, it would clear .* 1\.0; start at an earlier"
            ):
                release_of_range(read(sandbox, notes), range_, "1.0")

    def test_a_start_beyond_the_cut_of_a_shallow_clone(
        self, sandbox: Sandbox, notes: list[str], tmp_path: Path
    ) -> None:
        first, _ = sandbox.commit("1"), sandbox.commit("2")
        clone = shallow_clone(sandbox, tmp_path, depth=1)

        with pytest.raises(UsageError, match=r"has no commit .*; `git fetch --unshallow` may get it"):
            release_of_range(read(clone, notes), f"{first}..HEAD", "1.0")


class TestRepository:
    @pytest.mark.parametrize(
        ("remote", "name"),
        [
            ("https://git.example/example/web.git", "example/web"),
            ("ssh://git@git.example:22/example/web", "example/web"),
            ("git@git.example:example/web.git", "example/web"),
            ("git.example:group/example/web/", "group/example/web"),
            ("git@git.example:/example/web.git", "example/web"),
            ("https://git.example//example/web", "example/web"),
            ("https://git.example/", "web"),
            ("file:///srv/git/other.git", "web"),
            ("file://localhost/srv/git/other.git", "web"),
            ("/srv/git/other.git", "web"),
            ("../elsewhere.git", "web"),
            (None, "web"),
        ],
    )
    def test_name(self, sandbox: Sandbox, notes: list[str], remote: str | None, name: str) -> None:
        if remote is not None:
            sandbox.git("remote", "add", "origin", remote)

        assert read(sandbox, notes).name() == name

    def test_folder_inside_another_repository_of_the_environment(
        self, sandbox: Sandbox, notes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sha = sandbox.commit("1")
        other = Sandbox(tmp_path / "other")
        other.commit("other")
        monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))

        assert read(sandbox, notes).head() == sha

    def test_no_repository(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"not a git repository.*; name the folder"):
            GitRepository(tmp_path, print)

    def test_no_commits(self, sandbox: Sandbox, notes: list[str]) -> None:
        with pytest.raises(UsageError, match=r"has no commits on its branch; commit something"):
            events(sandbox, notes)

    def test_no_git(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(UsageError, match=r"git is not found; install git"):
            GitRepository(tmp_path, print)
