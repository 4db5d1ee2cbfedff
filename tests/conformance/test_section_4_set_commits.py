"""SEMANTICS section 4: the commit log of a release, its heads, and what is stored of commits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.conformance.builders import (
    ACME,
    ANN,
    API,
    BOB,
    FALLBACK_REPOSITORY,
    WEB,
    at,
    commit,
    created,
    group,
    merged,
    pushed,
    ref,
    said_again,
)
from tests.conformance.matching import any_order
from tests.conformance.scenario import Dead, Scenario, scenarios

if TYPE_CHECKING:
    from tests.conformance.system import System


Json = dict[str, Any]


def ids(*commit_ids: str) -> list[dict[str, str]]:
    """Expect a log of these commits, newest first."""
    return [{"id": commit_id} for commit_id in commit_ids]


def head(repository: str, commit_id: str) -> dict[str, str]:
    """Expect a head commit."""
    return {"repository": repository, "commit": commit_id}


EMPTY_LOG: Json = {"commitCount": 0, "lastCommit": None, "authors": [], "commits": [], "headCommits": []}


@scenarios(
    Scenario(
        title="without timestamps the first commit of the list is the newest",
        section="4.1",
        when=[pushed(commit("a"), commit("b"), commit("c"))],
        releases={"1.0": {"commits": ids("a", "b", "c"), "lastCommit": "a", "commitCount": 3}},
    ),
    Scenario(
        title="with timestamps the newest comes first, whatever the order of the list",
        section="4.1",
        when=[pushed(commit("a", timestamp=at(1)), commit("b", timestamp=at(3)), commit("c", timestamp=at(2)))],
        releases={"1.0": {"commits": ids("b", "c", "a"), "lastCommit": "b"}},
    ),
    Scenario(
        title="commits with the same timestamp keep the order of the list",
        section="4.1",
        when=[pushed(commit("a", timestamp=at(1)), commit("b", timestamp=at(1)), commit("c", timestamp=at(2)))],
        releases={"1.0": {"commits": ids("c", "a", "b")}},
    ),
    Scenario(
        title="commits without timestamp come last, in the order of the list",
        section="4.1",
        when=[pushed(commit("a"), commit("b", timestamp=at(1)), commit("c"), commit("d", timestamp=at(2)))],
        releases={"1.0": {"commits": ids("d", "b", "a", "c")}},
    ),
    Scenario(
        title="commits without timestamp come after the oldest time there is",
        section="4.1",
        when=[pushed(commit("a"), commit("b", timestamp=datetime.min.replace(tzinfo=UTC)))],
        releases={"1.0": {"commits": ids("b", "a"), "lastCommit": "b", "headCommits": [head(WEB, "b")]}},
    ),
    Scenario(
        title="a commit whose message holds #skipsentry is not counted",
        section="4.2",
        when=[pushed(commit("a", "Tidy up #skipsentry"), commit("b", "Work"))],
        releases={"1.0": {"commits": ids("b"), "commitCount": 1, "lastCommit": "b", "headCommits": [head(WEB, "b")]}},
    ),
    Scenario(
        title="the ignore marker is case-sensitive",
        section="4.2",
        when=[pushed(commit("a", "Tidy up #SkipSentry"))],
        releases={"1.0": {"commits": ids("a")}},
    ),
    Scenario(
        title="an ignored commit stores nothing, its repository included",
        section="4.2",
        when=[ignored := pushed(commit("a", "#skipsentry", repository=API), commit("b"), refs=[ref(API, "c")])],
        releases={"1.0": None},
        dead=[Dead(ignored, "invalid-repository", ("$.data.refs[0].repository",))],
    ),
    Scenario(
        title="of repeats of a commit the first wins and nothing of the others is stored",
        section="4.2",
        when=[
            pushed(
                commit("a", "First", patch_set=[("a.py", "A")], **ANN),
                commit("b"),
                commit("a", "Second", patch_set=[("b.py", "A")], **BOB),
            )
        ],
        releases={
            "1.0": {
                "commits": [
                    {"id": "a", "message": "First", "patchSet": [{"path": "a.py", "type": "A"}]},
                    {"id": "b"},
                ],
                "commitCount": 2,
                "authors": [{"name": "Ann", "email": "ann@example.com"}],
            }
        },
    ),
    Scenario(
        title="of repeats of a commit the first is the one with the latest timestamp",
        section="4.2",
        when=[pushed(commit("a", "Earlier", timestamp=at(1)), commit("a", "Later", timestamp=at(2)))],
        releases={"1.0": {"commits": [{"id": "a", "message": "Later", "dateCreated": "2024-06-01T02:00:00Z"}]}},
    ),
    Scenario(
        title="the same id in two repositories is two commits",
        section="4.2",
        when=[pushed(commit("a"), commit("a", repository=API))],
        releases={
            "1.0": {
                "commits": [{"id": "a", "repository": WEB}, {"id": "a", "repository": API}],
                "headCommits": [head(API, "a"), head(WEB, "a")],
            }
        },
    ),
)
def test_which_commits_count(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a push replaces the whole log",
        section="4.4",
        given=[pushed(commit("a"), commit("b"))],
        when=[pushed(commit("c"))],
        releases={"1.0": {"commits": ids("c"), "commitCount": 1, "lastCommit": "c"}},
    ),
    Scenario(
        title="a push creates the release where it is missing, without projects if it names none",
        section="2",
        when=[pushed(commit("a"), projects=())],
        releases={"1.0": {"organization": ACME, "version": "1.0", "status": "open", "projects": []}},
    ),
    Scenario(
        title="a commit may be in many releases",
        section="4.6",
        given=[pushed(commit("a", "Work"))],
        when=[pushed(commit("a"), version="2.0")],
        releases={
            "1.0": {"commits": [{"id": "a", "message": "Work"}]},
            "2.0": {"commits": [{"id": "a", "message": "Work"}]},
        },
    ),
    Scenario(
        title="an empty push clears the log and the heads",
        section="4",
        given=[pushed(commit("a", **ANN))],
        when=[pushed()],
        releases={"1.0": EMPTY_LOG},
    ),
    Scenario(
        title="a push of ignored commits only clears the log and the heads",
        section="4",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("b", "#skipsentry"))],
        releases={"1.0": EMPTY_LOG},
    ),
    Scenario(
        title="commits outlive the log they were in",
        section="4",
        given=[pushed(commit("a", "Work", **ANN)), pushed()],
        when=[pushed(commit("a"))],
        releases={"1.0": {"commits": [{"id": "a", "message": "Work", "author": {"name": "Ann"}}]}},
    ),
    Scenario(
        title="release-created without commits leaves the log alone",
        section="4",
        given=[pushed(commit("a"))],
        when=[created(commits=[])],
        releases={"1.0": {"commits": ids("a"), "headCommits": [head(WEB, "a")]}},
    ),
    Scenario(
        title="release-created with commits sets the log",
        section="4",
        given=[pushed(commit("a"))],
        when=[created(commits=[commit("b")])],
        releases={"1.0": {"commits": ids("b"), "headCommits": [head(WEB, "b")]}},
    ),
    Scenario(
        title="release-created with ignored commits only clears the log",
        section="4",
        given=[pushed(commit("a"))],
        when=[created(commits=[commit("b", "#skipsentry")])],
        releases={"1.0": EMPTY_LOG},
    ),
    Scenario(
        title="the head commit of a repository moves with the log",
        section="4.5",
        given=[pushed(commit("a"))],
        when=[pushed(commit("b"), commit("a"))],
        releases={"1.0": {"headCommits": [head(WEB, "b")]}},
    ),
    Scenario(
        title="the head commit of a repository that a push does not list stays",
        section="4.5",
        given=[pushed(commit("a", repository=API))],
        when=[pushed(commit("b"))],
        releases={"1.0": {"commits": ids("b"), "headCommits": [head(API, "a"), head(WEB, "b")]}},
    ),
)
def test_the_log(system: System, scenario: Scenario) -> None:
    scenario.play(system)


BUILT_FROM_TWO = pushed(
    commit("w1", timestamp=at(1)), commit("a2", repository=API, timestamp=at(2)), commit("w3", timestamp=at(3))
)


@scenarios(
    Scenario(
        title="replacing repositories keeps the commits of the others and orders the log anew",
        section="4 replace",
        given=[BUILT_FROM_TWO],
        when=[pushed(commit("w4", timestamp=at(4)), commit("w0", timestamp=at(0)), replace="repositories")],
        releases={
            "1.0": {
                "commits": ids("w4", "a2", "w0"),
                "commitCount": 3,
                "lastCommit": "w4",
                "headCommits": [head(API, "a2"), head(WEB, "w4")],
            }
        },
    ),
    Scenario(
        title="replacing repositories adds a repository that the log did not have",
        section="4 replace",
        given=[pushed(commit("w1", timestamp=at(1)))],
        when=[pushed(commit("a2", repository=API, timestamp=at(2)), replace="repositories")],
        releases={"1.0": {"commits": ids("a2", "w1"), "headCommits": [head(API, "a2"), head(WEB, "w1")]}},
    ),
    Scenario(
        title="at equal timestamps the replacing commits come before the kept ones",
        section="4 replace",
        given=[pushed(commit("a1", repository=API, timestamp=at(1)), commit("a0", repository=API))],
        when=[pushed(commit("w1", timestamp=at(1)), commit("w0"), replace="repositories")],
        releases={"1.0": {"commits": ids("w1", "a1", "w0", "a0")}},
    ),
    Scenario(
        title="the same list for its repositories again leaves even the order of equal timestamps",
        section="6",
        given=[
            sent := pushed(commit("a1", repository=API), commit("a0", repository=API), replace="repositories"),
            pushed(commit("w1"), replace="repositories"),
        ],
        when=[said_again(sent)],
        releases={"1.0": {"commits": ids("w1", "a1", "a0"), "lastCommit": "w1"}},
        announces=[],
    ),
    Scenario(
        title="a kept commit is ordered by the timestamp it was put into this log with",
        section="4 replace",
        given=[
            pushed(commit("a5", repository=API, timestamp=at(5)), version="2.0"),
            pushed(commit("a5", repository=API)),
        ],
        when=[pushed(commit("w1", timestamp=at(1)), replace="repositories")],
        releases={"1.0": {"commits": ids("w1", "a5")}},
    ),
    Scenario(
        title="a repository whose commits are all ignored is emptied and loses its head",
        section="4 replace",
        given=[BUILT_FROM_TWO],
        when=[pushed(commit("w9", "#skipsentry"), replace="repositories")],
        releases={"1.0": {"commits": ids("a2"), "commitCount": 1, "headCommits": [head(API, "a2")]}},
    ),
    Scenario(
        title="replacing repositories without any commit changes nothing",
        section="4 replace",
        given=[BUILT_FROM_TWO],
        when=[pushed(replace="repositories")],
        releases={"1.0": {"commits": ids("w3", "a2", "w1"), "headCommits": [head(API, "a2"), head(WEB, "w3")]}},
        announces=[],
    ),
    Scenario(
        title="commits without a repository are a repository of their own to replace",
        section="4 replace",
        given=[pushed(commit("n1", repository=None), commit("w1"))],
        when=[pushed(commit("n2", repository=None), replace="repositories")],
        releases={
            "1.0": {
                "commits": [{"id": "n2", "repository": FALLBACK_REPOSITORY}, {"id": "w1"}],
                "headCommits": any_order(head(FALLBACK_REPOSITORY, "n2"), head(WEB, "w1")),
            }
        },
    ),
)
def test_replacing_repositories(system: System, scenario: Scenario) -> None:
    scenario.play(system)


LONG_NAME = "a" * 80


@scenarios(
    Scenario(
        title="authors are told apart by lower-cased e-mail",
        section="4.4 author",
        when=[
            pushed(
                commit("a", author_name="Ann", author_email="Ann@Example.com"),
                commit("b", author_name="Ann", author_email="ann@example.COM"),
            )
        ],
        releases={"1.0": {"authors": [{"name": "Ann", "email": "ann@example.com"}]}},
    ),
    Scenario(
        title="authors of a log are distinct, in order of first appearance",
        section="4.6",
        when=[pushed(commit("a", **BOB), commit("b", **ANN), commit("c", **BOB), commit("d"))],
        releases={
            "1.0": {
                "authors": [
                    {"name": "Bob", "email": "bob@example.com"},
                    {"name": "Ann", "email": "ann@example.com"},
                ]
            }
        },
    ),
    Scenario(
        title="a missing e-mail is made up from the letters, digits and _ . - of the name",
        section="4.4 author",
        when=[pushed(commit("a", author_name="Joe B._-7 ^^"))],
        releases={"1.0": {"authors": [{"name": "Joe B._-7 ^^", "email": "joeb._-7@localhost"}]}},
    ),
    Scenario(
        title="a made-up e-mail keeps Unicode letters",
        section="4.4 author",
        when=[pushed(commit("a", author_name="Zoë Ångström"))],
        releases={"1.0": {"authors": [{"name": "Zoë Ångström", "email": "zoëångström@localhost"}]}},
    ),
    Scenario(
        title="a name with nothing to make an e-mail from is no author",
        section="4.4 author",
        when=[pushed(commit("a", author_name="^^^"))],
        releases={"1.0": {"commits": [{"id": "a", "author": None}], "authors": []}},
    ),
    Scenario(
        title="a blank e-mail is no author, whatever the name",
        section="4.4 author",
        when=[
            pushed(commit("a", author_name="Joe", author_email=""), commit("b", author_name="Joe", author_email=" "))
        ],
        releases={"1.0": {"commits": [{"id": "a", "author": None}, {"id": "b", "author": None}], "authors": []}},
    ),
    Scenario(
        title="an e-mail of 75 characters is kept whole",
        section="4.4 author",
        when=[pushed(commit("a", author_email="a" * 75))],
        releases={"1.0": {"authors": [{"name": None, "email": "a" * 75}]}},
    ),
    Scenario(
        title="a longer e-mail is cut to 72 characters and three dots",
        section="4.4 author",
        when=[pushed(commit("a", author_email="a" * 76))],
        releases={"1.0": {"authors": [{"email": "a" * 72 + "..."}]}},
    ),
    Scenario(
        title="a made-up e-mail is cut too",
        section="4.4 author",
        when=[pushed(commit("a", author_name=LONG_NAME))],
        releases={"1.0": {"authors": [{"name": LONG_NAME, "email": "a" * 72 + "..."}]}},
    ),
    Scenario(
        title="a name that differs replaces the stored one, in every release",
        section="4.4 author",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("b", author_name="Anna", author_email="ann@example.com"), version="2.0")],
        releases={"1.0": {"authors": [{"name": "Anna"}], "commits": [{"author": {"name": "Anna"}}]}},
    ),
    Scenario(
        title="an absent name never erases the stored one",
        section="4.4 author",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("b", author_email="ann@example.com"))],
        releases={"1.0": {"authors": [{"name": "Ann", "email": "ann@example.com"}]}},
    ),
    Scenario(
        title="an empty name is a name that is given",
        section="4.4 author",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("b", author_name="", author_email="ann@example.com"))],
        releases={"1.0": {"authors": [{"name": "", "email": "ann@example.com"}]}},
    ),
    Scenario(
        title="the newest commit that gives a name decides it",
        section="4.4 author",
        when=[
            pushed(
                commit("a", author_name="Older", author_email="ann@example.com", timestamp=at(1)),
                commit("b", author_name="Newer", author_email="ann@example.com", timestamp=at(2)),
                commit("c", author_email="ann@example.com", timestamp=at(3)),
            )
        ],
        releases={"1.0": {"authors": [{"name": "Newer"}]}},
    ),
    Scenario(
        title="of several spellings of an e-mail the last one to be named decides the name",
        section="4.4 author",
        when=[
            pushed(
                commit("a", author_name="One", author_email="ann@example.com"),
                commit("b", author_name="Two", author_email="ANN@example.com"),
                commit("c", author_name="Three", author_email="ann@example.com"),
            )
        ],
        releases={"1.0": {"authors": [{"name": "Two", "email": "ann@example.com"}]}},
    ),
    Scenario(
        title="a commit that names nobody keeps its stored author",
        section="4.4 author",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("a", author_name="Bob", author_email=""))],
        releases={"1.0": {"commits": [{"author": {"name": "Ann", "email": "ann@example.com"}}]}},
    ),
)
def test_authors(system: System, scenario: Scenario) -> None:
    scenario.play(system)


STORED = pushed(commit("a", "Work", timestamp=at(1), patch_set=[("a.py", "A")], **ANN))


@scenarios(
    Scenario(
        title="a field that is not given keeps what is stored",
        section="4.4 commit",
        given=[STORED],
        when=[pushed(commit("a"))],
        releases={
            "1.0": {
                "commits": [
                    {
                        "message": "Work",
                        "author": {"name": "Ann"},
                        "dateCreated": "2024-06-01T01:00:00Z",
                        "patchSet": [{"path": "a.py", "type": "A"}],
                    }
                ]
            }
        },
    ),
    Scenario(
        title="fields that are given replace what is stored, an empty message included",
        section="4.4 commit",
        given=[STORED],
        when=[pushed(commit("a", "", timestamp=at(2), **BOB))],
        releases={
            "1.0": {"commits": [{"message": "", "author": {"name": "Bob"}, "dateCreated": "2024-06-01T02:00:00Z"}]}
        },
    ),
    Scenario(
        title="a new commit without a message has none",
        section="4.4 commit",
        when=[pushed(commit("a"))],
        releases={"1.0": {"commits": [{"id": "a", "message": None, "author": None, "patchSet": []}]}},
    ),
    Scenario(
        title="a commit without a repository belongs to the fallback repository of the organization",
        section="4.4 repository",
        when=[pushed(commit("a", repository=None))],
        releases={
            "1.0": {
                "commits": [{"id": "a", "repository": FALLBACK_REPOSITORY}],
                "headCommits": [head(FALLBACK_REPOSITORY, "a")],
            }
        },
    ),
    Scenario(
        title="repository names are exact",
        section="4.4 repository",
        when=[pushed(commit("a"), commit("a", repository="Acme/Web"))],
        releases={"1.0": {"commits": [{"repository": WEB}, {"repository": "Acme/Web"}], "commitCount": 2}},
    ),
    Scenario(
        title="file changes add up, and the first type of a path stays",
        section="4.4 file changes",
        given=[STORED],
        when=[pushed(commit("a", patch_set=[("a.py", "D"), ("b.py", "M"), ("b.py", "A")]))],
        releases={
            "1.0": {"commits": [{"patchSet": any_order({"path": "a.py", "type": "A"}, {"path": "b.py", "type": "M"})}]}
        },
    ),
)
def test_stored_commits(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a ref sets the head of its repository and leaves the log alone",
        section="4 refs",
        given=[pushed(commit("a"))],
        when=[created(refs=[ref(WEB, "z")])],
        releases={"1.0": {"headCommits": [head(WEB, "z")], "commits": ids("a"), "commitCount": 1, "lastCommit": "a"}},
    ),
    Scenario(
        title="of several refs of a repository the last one wins",
        section="4 refs",
        given=[pushed(commit("a"))],
        when=[created(refs=[ref(WEB, "y"), ref(WEB, "z")])],
        releases={"1.0": {"headCommits": [head(WEB, "z")]}},
    ),
    Scenario(
        title="the end of a range is the head",
        section="4 refs",
        given=[pushed(commit("a"))],
        when=[created(refs=[ref(WEB, "z", previous="a")])],
        releases={"1.0": {"headCommits": [head(WEB, "z")]}},
    ),
    Scenario(
        title="refs come after the commits of the same event",
        section="4 refs",
        when=[pushed(commit("a"), refs=[ref(WEB, "z")])],
        releases={"1.0": {"headCommits": [head(WEB, "z")], "lastCommit": "a"}},
    ),
    Scenario(
        title="a ref may name a repository that only a pull request made known",
        section="4 refs",
        given=[merged("7", "a", repository=API)],
        when=[created(refs=[ref(API, "z")])],
        releases={"1.0": {"headCommits": [head(API, "z")], "commits": []}},
    ),
    Scenario(
        title="refs of unknown repositories are all named, and the event changes nothing",
        section="4 refs",
        given=[pushed(commit("a"))],
        when=[
            lost := pushed(
                commit("b"),
                projects=["api"],
                refs=[ref("nowhere", "y"), ref(WEB, "z"), ref("nowhere/else", "z")],
            )
        ],
        releases={"1.0": {"commits": ids("a"), "projects": ["web"], "headCommits": [head(WEB, "a")]}},
        announces=[],
        dead=[
            Dead(lost, "invalid-repository", ("$.data.refs[0].repository", "$.data.refs[2].repository")),
        ],
    ),
    Scenario(
        title="a dead event does not hold up the ones after it",
        section="3",
        when=[
            refused := created(refs=[ref(WEB, "z")]),
            pushed(commit("a")),
            created(refs=[ref(WEB, "z")]),
        ],
        releases={"1.0": {"headCommits": [head(WEB, "z")], "commits": ids("a")}},
        dead=[Dead(refused, "invalid-repository", ("$.data.refs[0].repository",))],
    ),
    Scenario(
        title="a dead event that is sent again is tried again",
        section="6",
        given=[early := created(refs=[ref(WEB, "z")]), pushed(commit("a"))],
        when=[early],
        releases={"1.0": {"headCommits": [head(WEB, "z")]}},
        dead=[Dead(early, "invalid-repository", ("$.data.refs[0].repository",))],
    ),
    Scenario(
        title="a group event knows no repositories",
        section="4 refs",
        given=[group()],
        when=[unknown := created(refs=[ref(WEB, "z")])],
        dead=[Dead(unknown, "invalid-repository", ("$.data.refs[0].repository",))],
    ),
)
def test_refs(system: System, scenario: Scenario) -> None:
    scenario.play(system)
