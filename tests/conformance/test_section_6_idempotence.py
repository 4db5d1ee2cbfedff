"""SEMANTICS section 6: what is the same, and that the same changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.builders import (
    ANN,
    API,
    DANA,
    at,
    commit,
    created,
    group,
    issue,
    merged,
    project,
    pushed,
    ref,
    resolution,
    said_again,
)
from tests.conformance.scenario import Scenario, announced, scenarios

if TYPE_CHECKING:
    from tests.conformance.system import System

FIX = commit("a", "Fixes WEB-1", timestamp=at(1), patch_set=[("a.py", "A")], **ANN)


@scenarios(
    Scenario(
        title="an event with a source and id that were applied is dropped, whatever it says now",
        section="6 event",
        given=[first := pushed(commit("a")), pushed(commit("b"))],
        when=[first, pushed(commit("c"), id=first.id)],
        releases={"1.0": {"commits": [{"id": "b"}]}},
        announces=[],
    ),
    Scenario(
        title="the same id of another source is another event",
        section="6 event",
        given=[first := pushed(commit("a"))],
        when=[pushed(commit("b"), id=first.id, source="/elsewhere")],
        releases={"1.0": {"commits": [{"id": "b"}]}},
    ),
    Scenario(
        title="the same commits under a new id change nothing and announce nothing",
        section="6 version key",
        given=[group(), first := pushed(FIX, commit("b", repository=API), refs=[ref(API, "z")])],
        when=[said_again(first)],
        releases={"1.0": {"commits": [{"id": "a"}, {"id": "b"}], "resolvedGroups": ["WEB-1"]}},
        announces=[],
    ),
    Scenario(
        title="the same creation under a new id changes nothing and announces nothing",
        section="6 version key",
        given=[creation := created("api", "web", ref="main", status="archived", date_released=at(1), commits=[FIX])],
        when=[said_again(creation)],
        releases={"1.0": {"projects": ["api", "web"], "status": "archived", "commitCount": 1}},
        announces=[],
    ),
    Scenario(
        title="a part of what is known already changes nothing",
        section="6 version key",
        given=[pushed(FIX)],
        when=[pushed(commit("a"), projects=())],
        releases={"1.0": {"commits": [{"message": "Fixes WEB-1"}]}},
        announces=[],
    ),
    Scenario(
        title="the same group event under a new id changes nothing and announces nothing",
        section="6",
        given=[
            group(),
            said := group(
                status="resolved",
                title="Broken",
                inbox="new",
                first_release="0.9",
                resolution=resolution("in_release", "1.0"),
                external_issues=[issue("jira", "W-5")],
                actor=DANA,
            ),
        ],
        when=[said_again(said)],
        groups={"WEB-1": {"status": "resolved", "title": "Broken", "inbox": None}},
        announces=[],
    ),
    Scenario(
        title="the same pull request under a new id changes nothing and announces nothing",
        section="6",
        given=[group(), pushed(commit("a")), pull := merged("7", "a", "Fixes WEB-1", **ANN)],
        when=[said_again(pull)],
        groups={"WEB-1": {"status": "resolved", "links": [{"type": "pull_request", "id": "7"}]}},
        announces=[],
    ),
    Scenario(
        title="a project that is made known twice is one project",
        section="6",
        given=[project("web")],
        when=[project("web"), created("web")],
        releases={"1.0": {"projects": ["web"]}},
        announces=[announced("release.created", project="web", created=True)],
    ),
    Scenario(
        title="a project that is named twice is attached once",
        section="6",
        when=[created("web", "web")],
        releases={"1.0": {"projects": ["web"]}},
        announces=[announced("release.created", project="web")],
    ),
    Scenario(
        title="commits that came back to what they were before are a change",
        section="6 version key",
        given=[first := pushed(commit("a")), pushed(commit("b"))],
        when=[said_again(first)],
        releases={"1.0": {"commits": [{"id": "a"}]}},
        announces=[announced("release.commits-set", lastCommit="a")],
    ),
    Scenario(
        title="a commit that another release changed is a change again",
        section="6 version key",
        given=[first := pushed(commit("a", "Work")), pushed(commit("a", "Other"), version="2.0")],
        when=[said_again(first)],
        releases={"1.0": {"commits": [{"message": "Work"}]}, "2.0": {"commits": [{"message": "Work"}]}},
        announces=[announced("release.commits-set")],
    ),
    Scenario(
        title="a head that a ref moved is moved back by the same commits",
        section="6 version key",
        given=[first := pushed(commit("a")), created(refs=[ref("acme/web", "z")])],
        when=[said_again(first)],
        releases={"1.0": {"headCommits": [{"repository": "acme/web", "commit": "a"}]}},
        announces=[announced("release.commits-set", headCommits=[{"repository": "acme/web", "commit": "a"}])],
    ),
)
def test_the_same(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="release-created on an existing release never touches ref, url or dateReleased",
        section="6",
        given=[created(ref="main", url="https://example.com/1")],
        when=[created(ref="other", url="https://example.com/2", date_released=at(1))],
        releases={"1.0": {"ref": "main", "url": "https://example.com/1", "dateReleased": None}},
        announces=[],
    ),
    Scenario(
        title="release-created does not fill what a push has left open",
        section="6",
        given=[pushed(commit("a"))],
        when=[created(ref="main", date_released=at(1))],
        releases={"1.0": {"ref": None, "dateReleased": None}},
        announces=[],
    ),
    Scenario(
        title="release-created on an existing release attaches new projects",
        section="6",
        given=[created("api")],
        when=[created("api", "web")],
        releases={"1.0": {"projects": ["api", "web"]}},
    ),
    Scenario(
        title="release-created on an existing release may change its status",
        section="6",
        given=[created()],
        when=[created(status="archived")],
        releases={"1.0": {"status": "archived"}},
    ),
    Scenario(
        title="release-created without status leaves the status alone",
        section="6",
        given=[created(status="archived")],
        when=[created()],
        releases={"1.0": {"status": "archived"}},
        announces=[],
    ),
    Scenario(
        title="versions are verbatim and case-sensitive",
        section="3",
        when=[created(version="v1 (123)"), created(version="V1 (123)", ref="other"), created(version=" v1 (123)")],
        releases={
            "v1 (123)": {"version": "v1 (123)", "ref": None},
            "V1 (123)": {"version": "V1 (123)", "ref": "other"},
            " v1 (123)": {"version": " v1 (123)"},
        },
    ),
)
def test_an_existing_release(system: System, scenario: Scenario) -> None:
    scenario.play(system)
