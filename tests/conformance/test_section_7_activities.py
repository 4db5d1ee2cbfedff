"""SEMANTICS section 7: what is announced, with which data, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.builders import (
    ANN,
    API,
    BOB,
    DANA,
    WEB,
    at,
    commit,
    created,
    group,
    issue,
    merged,
    pushed,
    ref,
    resolution,
)
from tests.conformance.matching import NOT_THERE
from tests.conformance.scenario import Scenario, announced, scenarios

if TYPE_CHECKING:
    from tests.conformance.system import System

Json = dict[str, Any]
ANN_DID: Json = {"name": "Ann", "email": "ann@example.com"}
BOB_DID: Json = {"name": "Bob", "email": "bob@example.com"}
DANA_DID: Json = {"name": "Dana", "email": "dana@example.com"}
FIX = commit("a", "Fixes WEB-1", **ANN)
RELEASED = "2024-06-01T01:00:00Z"


@scenarios(
    Scenario(
        title="a creation is announced per project, in the order of the event",
        section="7",
        when=[created("web", "api")],
        announces=[
            announced("release.created", project="web", created=True),
            announced("release.created", project="api", created=True),
        ],
    ),
    Scenario(
        title="a release that a push creates without project is announced without one",
        section="7",
        when=[pushed(projects=())],
        announces=[announced("release.created", project=None, created=True)],
    ),
    Scenario(
        title="a project that is attached later is announced, the release not being created",
        section="7",
        given=[pushed(commit("a"), projects=())],
        when=[created("web")],
        announces=[announced("release.created", project="web", created=False)],
    ),
    Scenario(
        title="a push attaches projects and announces them",
        section="7",
        given=[created("web")],
        when=[pushed(projects=["api", "web"])],
        releases={"1.0": {"projects": ["api", "web"]}},
        announces=[announced("release.created", project="api", created=False)],
    ),
    Scenario(
        title="a release that is created released is announced as out per project, after all creations",
        section="7",
        when=[created("web", "api", date_released=at(1))],
        announces=[
            announced("release.created", project="web"),
            announced("release.created", project="api"),
            announced("release.released", project="web", dateReleased=RELEASED, activityType=10),
            announced("release.released", project="api", dateReleased=RELEASED, activityType=10),
        ],
    ),
    Scenario(
        title="a released release is announced as out for a project that a push attaches",
        section="7",
        given=[created("web", date_released=at(1))],
        when=[pushed(projects=["api"])],
        announces=[
            announced("release.created", project="api", created=False),
            announced("release.released", project="api", dateReleased=RELEASED),
        ],
    ),
    Scenario(
        title="a change of status is announced from and to",
        section="7",
        given=[created()],
        when=[created(status="archived")],
        announces=[announced("release.updated", changes={"status": {"from": "open", "to": "archived"}})],
    ),
    Scenario(
        title="the status of a new release is no change",
        section="7",
        when=[created(status="archived")],
        announces=[announced("release.created")],
    ),
)
def test_announced_releases(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a set log is announced with its count, authors, last commit and heads",
        section="7",
        given=[created()],
        when=[pushed(commit("a", **BOB), commit("b", repository=API, **ANN), commit("c", **BOB))],
        announces=[
            announced(
                "release.commits-set",
                commitCount=3,
                authors=[BOB_DID, ANN_DID],
                lastCommit="a",
                headCommits=[{"repository": API, "commit": "b"}, {"repository": WEB, "commit": "a"}],
            )
        ],
    ),
    Scenario(
        title="a cleared log is announced",
        section="7",
        given=[pushed(commit("a"))],
        when=[pushed()],
        announces=[
            announced("release.commits-set", commitCount=0, authors=[], lastCommit=None, headCommits=[]),
        ],
    ),
    Scenario(
        title="clearing an empty log is not announced",
        section="7",
        given=[created()],
        when=[pushed()],
        announces=[],
    ),
    Scenario(
        title="a changed message is announced though the log is the same",
        section="7",
        given=[pushed(commit("a", "Work"))],
        when=[pushed(commit("a", "Better work"))],
        announces=[announced("release.commits-set", commitCount=1)],
    ),
    Scenario(
        title="a changed author is announced though the log is the same",
        section="7",
        given=[pushed(commit("a", **ANN))],
        when=[pushed(commit("a", **BOB))],
        announces=[announced("release.commits-set", authors=[BOB_DID])],
    ),
    Scenario(
        title="a changed date is announced though the log is the same",
        section="7",
        given=[pushed(commit("a", timestamp=at(1)))],
        when=[pushed(commit("a", timestamp=at(2)))],
        announces=[announced("release.commits-set", lastCommit="a")],
    ),
    Scenario(
        title="a changed order is announced",
        section="7",
        given=[pushed(commit("a"), commit("b"))],
        when=[pushed(commit("b"), commit("a"))],
        announces=[announced("release.commits-set", lastCommit="b")],
    ),
    Scenario(
        title="a new file change is announced, a known path is not",
        section="7",
        given=[pushed(commit("a", patch_set=[("a.py", "A")]))],
        when=[
            pushed(commit("a", patch_set=[("a.py", "D")])),
            pushed(commit("a", patch_set=[("b.py", "A")])),
        ],
        announces=[announced("release.commits-set")],
    ),
    Scenario(
        title="a head that a ref moves is announced",
        section="7",
        given=[pushed(commit("a"))],
        when=[created(refs=[ref(WEB, "z")])],
        announces=[
            announced(
                "release.commits-set",
                commitCount=1,
                lastCommit="a",
                headCommits=[{"repository": WEB, "commit": "z"}],
            )
        ],
    ),
    Scenario(
        title="commits and refs of one event are announced together",
        section="7",
        given=[created()],
        when=[pushed(commit("a"), refs=[ref(WEB, "z")])],
        announces=[announced("release.commits-set", headCommits=[{"repository": WEB, "commit": "z"}])],
    ),
    Scenario(
        title="what happens to a release in one event is announced in a fixed order",
        section="7",
        given=[created("web", date_released=at(1))],
        when=[created("api", status="archived", commits=[commit("a")])],
        announces=[
            announced("release.created", project="api"),
            announced("release.released", project="api"),
            announced("release.updated"),
            announced("release.commits-set"),
        ],
    ),
)
def test_announced_commits(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a group that a commit resolves is announced with release, commit and actor",
        section="7",
        given=[group(), created()],
        when=[pushed(FIX)],
        announces=[
            announced("release.commits-set"),
            announced(
                "group.resolved",
                project="web",
                version="1.0",
                type="in_release",
                commit={"repository": WEB, "id": "a"},
                pullRequest=NOT_THERE,
                actor=ANN_DID,
                activityType=13,
            ),
        ],
    ),
    Scenario(
        title="a group that a pull request resolves is announced with the pull request",
        section="7",
        given=[group(), pushed(commit("a"))],
        when=[merged("7", "a", "Fixes WEB-1")],
        announces=[
            announced(
                "group.resolved",
                version="1.0",
                pullRequest={"repository": WEB, "number": "7"},
                commit=NOT_THERE,
                actor=None,
                activityType=13,
            )
        ],
    ),
    Scenario(
        title="every external issue of a resolved group is asked to follow, by provider and key",
        section="5.3",
        given=[
            group(external_issues=[issue("jira", "W-6"), issue("jira", "W-5"), issue("github", "acme/web#7")]),
            created(),
        ],
        when=[pushed(FIX)],
        announces=[
            announced("release.commits-set"),
            announced("group.resolved"),
            announced("group.status-sync-requested", provider="github", key="acme/web#7", status="resolved"),
            announced(
                "group.status-sync-requested",
                project="web",
                version="1.0",
                provider="jira",
                key="W-5",
                url="https://jira.example.com/W-5",
                status="resolved",
            ),
            announced("group.status-sync-requested", provider="jira", key="W-6"),
        ],
    ),
    Scenario(
        title="each of several groups that one push resolves is announced",
        section="7",
        given=[group("WEB-1"), group("WEB-2"), created()],
        when=[pushed(commit("a", "Fixes WEB-2, WEB-1"))],
        announces=[
            announced("release.commits-set"),
            announced("group.resolved", shortId="WEB-1"),
            announced("group.resolved", shortId="WEB-2"),
        ],
    ),
    Scenario(
        title="a group that moves to another release is announced again",
        section="5.4",
        given=[group(), pushed(FIX), created(version="2.0")],
        when=[pushed(FIX, version="2.0")],
        announces=[announced("release.commits-set", version="2.0"), announced("group.resolved", version="2.0")],
    ),
    Scenario(
        title="a group that a changed message re-opens is announced with the link that went",
        section="5.1",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("a", "Never mind"))],
        announces=[
            announced("release.commits-set"),
            announced(
                "group.unresolved",
                project="web",
                version="1.0",
                actor=None,
                commit={"repository": WEB, "id": "a"},
                activityType=2,
            ),
        ],
    ),
    Scenario(
        title="a group that a changed pull request re-opens is announced with the link that went",
        section="5.1",
        given=[group(), merged("7", "a", "Fixes WEB-1"), pushed(commit("a"))],
        when=[merged("7", "a", "Never mind")],
        announces=[
            announced("group.unresolved", version="1.0", pullRequest={"repository": WEB, "number": "7"}, actor=None)
        ],
    ),
    Scenario(
        title="a group that is re-opened by hand is announced with where it had been resolved and who did it",
        section="7",
        given=[group(), pushed(FIX)],
        when=[group(status="unresolved", actor=DANA)],
        announces=[
            announced("group.unresolved", version="1.0", actor=DANA_DID, commit=NOT_THERE, pullRequest=NOT_THERE)
        ],
    ),
    Scenario(
        title="a group that was never resolved is not announced as unresolved",
        section="7",
        given=[group(status="ignored")],
        when=[group(status="unresolved", actor=DANA)],
        groups={"WEB-1": {"status": "unresolved"}},
        announces=[],
    ),
    Scenario(
        title="a group that is resolved by hand without release is announced without one",
        section="7",
        given=[group()],
        when=[group(status="resolved", actor=DANA)],
        announces=[
            announced("group.resolved", version=None, type=None, actor=DANA_DID, commit=NOT_THERE, activityType=1)
        ],
    ),
    Scenario(
        title="a group that is resolved by hand in the next release is announced with it",
        section="7",
        given=[group()],
        when=[group(resolution=resolution("in_next_release", "1.0"))],
        announces=[
            announced("group.resolved", version="1.0", type="in_next_release", actor=None, activityType=13),
        ],
    ),
    Scenario(
        title="a resolution that is changed by hand is announced again",
        section="7",
        given=[group(), group(resolution=resolution("in_next_release", "1.0"))],
        when=[group(resolution=resolution("in_release", "2.0"))],
        announces=[announced("group.resolved", version="2.0", type="in_release")],
    ),
    Scenario(
        title="resolving a resolved group by hand keeps its resolution and announces nothing",
        section="7",
        given=[group(), pushed(FIX)],
        when=[group(status="resolved", actor=DANA)],
        groups={"WEB-1": {"resolution": {"release": "1.0", "actor": ANN_DID}}},
        announces=[],
    ),
    Scenario(
        title="a review comes before what the same event resolves",
        section="7",
        given=[group(inbox="new")],
        when=[group(inbox=None, status="resolved", actor=DANA)],
        announces=[announced("group.reviewed"), announced("group.resolved")],
    ),
)
def test_announced_groups(system: System, scenario: Scenario) -> None:
    scenario.play(system)
