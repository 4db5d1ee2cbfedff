"""``demo`` on the services of the session: the whole story, told by its JSON summary."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from click.testing import CliRunner

from consumer.cli.main import root
from consumer.demo.history import read_history
from consumer.demo.place import environment_of, own_place
from consumer.demo.worker import run_until_caught_up, set_up
from consumer.errors import UsageError

if TYPE_CHECKING:
    from consumer.services import Services

COMMITS = 6
README = Path(__file__).parents[2] / "README.md"


def git(folder: Path, *arguments: str) -> None:
    who = {"GIT_AUTHOR_NAME": "Grace", "GIT_AUTHOR_EMAIL": "grace@example.org"}
    committer = {"GIT_COMMITTER_NAME": "Grace", "GIT_COMMITTER_EMAIL": "grace@example.org"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, env={**os.environ, **who, **committer})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for number in range(COMMITS):
        (folder / f"file-{number}").write_text("content\n")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", f"Change {number}")
    return folder


def test_the_demo_tells_the_whole_story(services: Services, repository: Path, tmp_path: Path) -> None:
    for number in range(3):
        git(repository, "tag", f"v{number}", f"HEAD~{2 - number}")
    result = subprocess.run(
        [
            *(sys.executable, "-c", "from consumer.cli.main import main; main()"),
            *("demo", "--json", "--git", str(repository), "--data", str(tmp_path / "stack")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "RELEASE_CONSUMER_KAFKA_BOOTSTRAP_SERVERS": services.kafka_bootstrap_servers,
            "RELEASE_CONSUMER_DATABASE_URL": services.database_url,
            "RELEASE_CONSUMER_REDIS_URL": services.redis_url,
        },
    )

    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "stack" / "stack.json").exists()  # nothing was started
    summary: dict[str, Any] = orjson.loads(result.stdout)
    assert summary["git"] == {"repository": "shop", "releases": 3, "commits": COMMITS, "cut": False}
    assert [event["type"] for event in summary["added"]] == ["group-updated", "release-created", "commits-pushed"]
    assert summary["published"] == {"catalog-events": 1, "release-events": 8}
    assert summary["fates"] == {"applied": 9, "duplicate": 0, "parked": 0, "dead": 0}

    releases = {release["version"]: release for release in summary["releases"]}
    assert {version: release["commitCount"] for version, release in releases.items()} == {
        "v0": 4,
        "v1": 1,
        "v2": 1,
        "demo-fix": 1,
    }
    assert releases["v2"]["authors"] == [{"name": "Grace", "email": "grace@example.org"}]
    assert [head["repository"] for head in releases["v2"]["headCommits"]] == ["shop"]

    group = summary["group"]
    assert (group["shortId"], group["status"], group["inbox"]) == ("DEMO-1", "resolved", None)
    assert group["resolution"]["release"] == "demo-fix"
    assert group["resolution"]["actor"] == {"name": "Ada Example", "email": "ada@example.org"}

    assert summary["activities"] == {
        "activity.release.created": 4,
        "activity.release.released": 4,
        "activity.release.commits-set": 4,
        "activity.group.resolved": 1,
        "activity.group.status-sync-requested": 1,
    }
    again = summary["again"]
    assert (again["published"], again["duplicates"], again["announced"]) == (17, 9, 0)
    assert again["unchanged"]
    assert again["rowsBefore"] == again["rowsAfter"]
    assert again["digestBefore"] == again["digestAfter"]


def test_a_history_without_tags_is_cut_into_releases(repository: Path) -> None:
    history = read_history(repository, pytest.fail)

    assert (history.releases, history.commits, history.cut) == (4, COMMITS, True)
    versions = [event["data"]["version"] for event in history.events[::2]]
    assert len(set(versions)) == len(versions)


def test_of_many_tags_the_newest_are_taken(repository: Path) -> None:
    for number in range(30):
        git(repository, "tag", f"v{number:02}", f"HEAD~{COMMITS - 1 - number // 5}")
    notes: list[str] = []
    history = read_history(repository, notes.append)

    assert history.releases == 20
    assert history.events[-1]["data"]["version"] == "v29"
    assert notes == ["only the 20 newest of 30 tags are taken"]


def test_a_folder_that_is_no_repository_is_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(root, ["demo", "--git", str(tmp_path)])

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "make demo GIT=FOLDER" in result.stderr


def test_a_repository_without_commits_is_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UsageError, match="no commits"):
        read_history(tmp_path, pytest.fail)


def test_the_events_of_the_readme_do_what_it_says(services: Services, tmp_path: Path) -> None:
    (text,) = re.findall(r"^```jsonl\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    with own_place(services, tmp_path) as settings:
        set_up(settings)
        for _ in range(2):
            published = CliRunner().invoke(root, ["publish", "--json"], input=text, env=environment_of(settings))
            assert orjson.loads(published.stdout)["published"] == 3
            run_until_caught_up(settings, lambda: None)
            shown = CliRunner().invoke(
                root, ["groups", "show", "--organization", "acme", "WEB-12", "--json"], env=environment_of(settings)
            )
            group = orjson.loads(shown.stdout)
            assert (group["status"], group["inbox"]) == ("resolved", None)
            assert group["resolution"]["release"] == "web@1.4.1"
            assert [activity["type"] for activity in group["activity"]] == ["activity.group.resolved"]
