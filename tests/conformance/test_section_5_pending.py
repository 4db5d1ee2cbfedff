"""SEMANTICS section 5: how a newer release settles what is pending, and what that does not touch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.builders import (
    ANN,
    BOB,
    DANA,
    at,
    commit,
    created,
    deleted,
    group,
    issue,
    merged,
    pushed,
    resolution,
    said_again,
    updated,
)
from tests.conformance.matching import NOT_THERE
from tests.conformance.scenario import Scenario, announced, scenarios

if TYPE_CHECKING:
    from consumer.contracts.events import GroupUpdated
    from tests.conformance.system import System

Json = dict[str, Any]
FIX = commit("a", "Fixes WEB-1", **ANN)
ANN_DID: Json = {"name": "Ann", "email": "ann@example.com"}
BOB_DID: Json = {"name": "Bob", "email": "bob@example.com"}
DANA_DID: Json = {"name": "Dana", "email": "dana@example.com"}


def pending(version: str, short_id: str = "WEB-1", **fields: Any) -> GroupUpdated:
    """A group is resolved in the release after this one, by Dana."""
    said: Json = {"resolution": resolution("in_next_release", version), "actor": DANA}
    return group(short_id, **said | fields)


def settled_in(version: str, actor: Json | None = None) -> Json:
    """Expect a group that is resolved in a release, by Dana unless said otherwise."""
    return {
        "status": "resolved",
        "resolution": {"release": version, "type": "in_release", "status": "resolved", "actor": actor or DANA_DID},
    }


def waiting_for(version: str) -> Json:
    """Expect a group that is still pending."""
    return {"status": "resolved", "resolution": {"release": version, "type": "in_next_release", "status": "pending"}}


@scenarios(
    Scenario(
        title="a newer release of the project settles what is pending, by who resolved it, without a status sync",
        section="5.4",
        given=[created(), group(external_issues=[issue("jira", "W-5")]), pending("1.0")],
        when=[created(version="2.0")],
        groups={"WEB-1": settled_in("2.0")},
        releases={"2.0": {"resolvedGroups": ["WEB-1"]}},
        announces=[
            announced("release.created", version="2.0"),
            announced(
                "group.resolved",
                version="2.0",
                type="in_release",
                actor=DANA_DID,
                activityType=13,
                commit=NOT_THERE,
                pullRequest=NOT_THERE,
            ),
        ],
    ),
    Scenario(
        title="an upcoming release settles like a next one",
        section="5.4",
        given=[created(), group(resolution=resolution("in_upcoming_release", "1.0"))],
        when=[created(version="2.0")],
        groups={"WEB-1": {"resolution": {"release": "2.0", "type": "in_release", "status": "resolved", "actor": None}}},
    ),
    Scenario(
        title="what is pending on a release that is not known is settled by any other",
        section="5.4",
        given=[pending("0.9")],
        when=[created()],
        groups={"WEB-1": settled_in("1.0")},
    ),
    Scenario(
        title="the very release that it is pending on does not settle",
        section="5.4",
        given=[pending("1.0")],
        when=[created(), pushed(commit("b")), created("api")],
        groups={"WEB-1": waiting_for("1.0")},
    ),
    Scenario(
        title="a release of another project does not settle until it reaches the group's",
        section="5.4",
        given=[created(), pending("1.0"), created("api", version="2.0")],
        when=[pushed(version="2.0", projects=["web"])],
        groups={"WEB-1": settled_in("2.0")},
        announces=[
            announced("release.created", version="2.0", project="web", created=False),
            announced("group.resolved", version="2.0"),
        ],
    ),
    Scenario(
        title="a release of another project leaves it pending",
        section="5.4",
        given=[created(), pending("1.0")],
        when=[created("api", version="2.0")],
        groups={"WEB-1": waiting_for("1.0")},
        announces=[announced("release.created", version="2.0")],
    ),
    Scenario(
        title="an older release that reaches the project late does not settle",
        section="5.4",
        given=[created("api", version="0.9"), created(), pending("1.0")],
        when=[created("web", version="0.9")],
        groups={"WEB-1": waiting_for("1.0")},
        announces=[announced("release.created", version="0.9", project="web")],
    ),
    Scenario(
        title="an older release that was deleted and created anew is the newer one",
        section="5.4",
        given=[created(version="0.9"), created(), pending("1.0"), deleted("0.9")],
        when=[created(version="0.9")],
        groups={"WEB-1": settled_in("0.9")},
    ),
    Scenario(
        title="when a release was created counts, not when it is said to be out",
        section="5.4",
        given=[created("web", date_released=at(9)), pending("1.0")],
        when=[created(version="2.0", date_released=at(1))],
        groups={"WEB-1": settled_in("2.0")},
    ),
    Scenario(
        title="a known release that only changes settles nothing",
        section="5.4",
        given=[created("api", version="2.0"), created("web"), pending("1.0")],
        when=[updated("2.0", date_released=at(1)), pushed(commit("b"), version="2.0", projects=["api"])],
        groups={"WEB-1": waiting_for("1.0")},
    ),
    Scenario(
        title="groups are settled in the order of their short ids, those of other projects are not",
        section="5.4",
        given=[
            created(),
            pending("1.0", "WEB-2"),
            pending("1.0", "WEB-1"),
            pending("1.0", "API-1", project="api"),
            group("WEB-3"),
        ],
        when=[created(version="2.0")],
        groups={
            "WEB-1": settled_in("2.0"),
            "WEB-2": settled_in("2.0"),
            "API-1": waiting_for("1.0"),
            "WEB-3": {"status": "unresolved", "resolution": None},
        },
        releases={"2.0": {"resolvedGroups": ["WEB-1", "WEB-2"]}},
    ),
    Scenario(
        title="a settled resolution is not moved on by the release after",
        section="5.4",
        given=[created(), pending("1.0"), created(version="2.0")],
        when=[created(version="3.0")],
        groups={"WEB-1": settled_in("2.0")},
        announces=[announced("release.created", version="3.0")],
    ),
    Scenario(
        title="a group that was re-opened or ignored waits for nothing",
        section="5.4",
        given=[created(), pending("1.0"), pending("1.0", "WEB-2"), group(status="unresolved")],
        when=[group("WEB-2", status="ignored"), created(version="2.0")],
        groups={"WEB-1": {"status": "unresolved", "resolution": None}, "WEB-2": {"status": "ignored"}},
        announces=[announced("release.created", version="2.0")],
    ),
)
def test_newer_releases(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="what is pending is resolved by a fix in the newer release, told once, with a status sync",
        section="5.4",
        given=[created(), group(external_issues=[issue("jira", "W-5")]), pending("1.0")],
        when=[pushed(FIX, version="2.0")],
        groups={"WEB-1": settled_in("2.0", ANN_DID)},
        announces=[
            announced("release.created", version="2.0"),
            announced("release.commits-set", version="2.0"),
            announced("group.resolved", version="2.0", actor=ANN_DID, commit={"id": "a"}),
            announced("group.status-sync-requested", version="2.0", key="W-5"),
        ],
    ),
    Scenario(
        title="a fix that comes after its group was settled in the release tells what resolved it, with a status sync",
        section="5.3",
        given=[created(), group(external_issues=[issue("jira", "W-5")]), pending("1.0"), created(version="2.0")],
        when=[sent := pushed(FIX, version="2.0"), said_again(sent)],
        groups={"WEB-1": settled_in("2.0", ANN_DID)},
        announces=[
            announced("release.commits-set", version="2.0"),
            announced("group.resolved", version="2.0", actor=ANN_DID, commit={"id": "a"}),
            announced("group.status-sync-requested", version="2.0", key="W-5"),
        ],
    ),
    Scenario(
        title="a fix that comes after its group was resolved in the release by hand tells what resolved it",
        section="5.3",
        given=[created(), group(), group(resolution=resolution("in_release", "1.0"), actor=DANA)],
        when=[pushed(FIX), pushed(commit("b", "Fixes WEB-1", **BOB), FIX)],
        groups={"WEB-1": settled_in("1.0", BOB_DID)},
        announces=[
            announced("release.commits-set", version="1.0"),
            announced("group.resolved", version="1.0", actor=ANN_DID, commit={"id": "a"}),
            announced("release.commits-set", version="1.0"),
        ],
    ),
    Scenario(
        title="a fix whose group was settled counts as having resolved it there",
        section="5.4",
        given=[created(), pending("1.0"), sent := pushed(FIX, version="2.0"), group(status="unresolved")],
        when=[said_again(sent)],
        groups={"WEB-1": {"status": "unresolved", "resolution": None}},
        announces=[],
    ),
    Scenario(
        title="a message that changes re-opens a group that was settled and fixed in one release",
        section="5.1",
        given=[created(), pending("1.0"), pushed(FIX, version="2.0")],
        when=[pushed(commit("a", "Never mind"), version="2.0")],
        groups={"WEB-1": {"status": "unresolved", "resolution": None}},
        announces=[
            announced("release.commits-set", version="2.0"),
            announced("group.unresolved", version="2.0", commit={"repository": "acme/web", "id": "a"}),
        ],
    ),
    Scenario(
        title="a message that changes re-opens a group that was resolved by hand before its release was known",
        section="5.1",
        given=[group(resolution=resolution("in_release", "1.0")), pushed(FIX)],
        when=[pushed(commit("a", "Never mind"))],
        groups={"WEB-1": {"status": "unresolved", "resolution": None}},
    ),
    Scenario(
        title="a fix in the release that it is pending on resolves at once",
        section="5.4",
        given=[created(), pending("1.0")],
        when=[pushed(FIX)],
        groups={"WEB-1": settled_in("1.0", ANN_DID)},
        announces=[
            announced("release.commits-set"),
            announced("group.resolved", version="1.0", commit={"repository": "acme/web", "id": "a"}),
        ],
    ),
    Scenario(
        title="a group that was settled moves to the release that ships its fix later",
        section="5.4",
        given=[created(), pending("1.0"), created(version="2.0")],
        when=[pushed(FIX, version="3.0")],
        groups={"WEB-1": settled_in("3.0", ANN_DID)},
    ),
    Scenario(
        title="a pull request that ships in a newer release only tells who did it",
        section="5.4",
        given=[created(), merged("7", "a", "Fixes WEB-1", **BOB), pending("1.0")],
        when=[pushed(commit("a"), version="2.0")],
        groups={"WEB-1": settled_in("2.0", BOB_DID)},
    ),
)
def test_newer_releases_with_fixes(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="what becomes pending when a newer release is there already is settled at once",
        section="5.4",
        given=[created(), created(version="2.0"), created(version="3.0"), group()],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0")},
        announces=[
            announced("group.resolved", version="1.0", type="in_next_release", actor=DANA_DID),
            announced("group.resolved", version="2.0", type="in_release", actor=DANA_DID),
        ],
    ),
    Scenario(
        title="the first newer release of the group's project settles, not that of another",
        section="5.4",
        given=[created(), created("api", version="2.0"), created(version="3.0"), group()],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("3.0")},
    ),
    Scenario(
        title="what becomes pending on a release that is not known waits, whatever is there",
        section="5.4",
        given=[created(), created(version="2.0"), group()],
        when=[pending("1.5")],
        groups={"WEB-1": waiting_for("1.5")},
        announces=[announced("group.resolved", version="1.5", type="in_next_release")],
    ),
    Scenario(
        title="what becomes pending on the newest release waits",
        section="5.4",
        given=[created(), created(version="2.0"), group()],
        when=[pending("2.0")],
        groups={"WEB-1": waiting_for("2.0")},
    ),
    Scenario(
        title="a group that appears pending on an older release is settled, which is all that is told",
        section="5.4",
        given=[created(), created(version="2.0")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0")},
        announces=[announced("group.resolved", version="2.0", type="in_release")],
    ),
    Scenario(
        title="a group that appears pending and fixed is settled first, then resolved where its fix shipped",
        section="5.4",
        given=[created(), pushed(FIX, version="2.0")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0", ANN_DID)},
        announces=[
            announced("group.resolved", version="2.0", actor=DANA_DID, commit=NOT_THERE),
            announced("group.resolved", version="2.0", actor=ANN_DID, commit={"id": "a"}),
        ],
    ),
    Scenario(
        title="settling and shipping in one event are facts of their own",
        section="7",
        given=[pushed(FIX), pushed(FIX, version="2.0")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0", ANN_DID)},
        announces=[
            announced("group.resolved", version="2.0", commit=NOT_THERE),
            announced("group.resolved", version="1.0", commit={"id": "a"}),
            announced("group.resolved", version="2.0", commit={"id": "a"}),
        ],
    ),
    Scenario(
        title="a newer release that was deleted does not settle",
        section="5.4",
        given=[created(), created(version="2.0"), deleted("2.0"), group()],
        when=[pending("1.0")],
        groups={"WEB-1": waiting_for("1.0")},
    ),
    Scenario(
        title="what was settled and is said again changes nothing",
        section="6",
        given=[created(), group(), pending("1.0"), created(version="2.0"), created(version="3.0")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0")},
        announces=[],
    ),
    Scenario(
        title="what comes to the release that a fix resolved the group in changes nothing but who did it",
        section="6",
        given=[created(), group(), pushed(FIX, version="2.0")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0", DANA_DID)},
        announces=[],
    ),
    Scenario(
        title="what is said again by nobody in particular leaves who did it",
        section="6",
        given=[created(), group(), pending("1.0"), created(version="2.0")],
        when=[pending("1.0", actor=None), group(resolution=resolution("in_release", "2.0"))],
        groups={"WEB-1": settled_in("2.0", DANA_DID)},
        announces=[],
    ),
    Scenario(
        title="what was settled, re-opened and said again is settled again",
        section="5.4",
        given=[created(), group(), pending("1.0"), created(version="2.0"), group(status="unresolved")],
        when=[pending("1.0")],
        groups={"WEB-1": settled_in("2.0")},
        announces=[
            announced("group.resolved", version="1.0", type="in_next_release"),
            announced("group.resolved", version="2.0", type="in_release"),
        ],
    ),
    Scenario(
        title="a pending group that moves to a project with a newer release is settled, which is all that is told",
        section="5.4",
        given=[created(), created("api", version="2.0"), created("api", version="3.0"), group(), pending("1.0")],
        when=[group(project="api")],
        groups={"WEB-1": {"project": "api", **settled_in("2.0")}},
        announces=[announced("group.resolved", version="2.0", type="in_release", actor=DANA_DID)],
    ),
    Scenario(
        title="a newer release that comes after the move settles as well",
        section="5.4",
        given=[created(), group(), pending("1.0"), group(project="api")],
        when=[created("api", version="2.0")],
        groups={"WEB-1": {"project": "api", **settled_in("2.0")}},
        announces=[announced("release.created", version="2.0"), announced("group.resolved", version="2.0")],
    ),
    Scenario(
        title="a pending group that moves and is said to be pending again is settled once",
        section="5.4",
        given=[created(), created("api", version="2.0"), group(), pending("1.0")],
        when=[pending("1.0", project="api")],
        groups={"WEB-1": {"project": "api", **settled_in("2.0")}},
        announces=[announced("group.resolved", version="2.0", type="in_release")],
    ),
    Scenario(
        title="a pending group that moves to a project without a newer release waits",
        section="5.4",
        given=[created("api", version="0.9"), created(), created(version="2.0"), group(), pending("2.0")],
        when=[group(project="api")],
        groups={"WEB-1": {"project": "api", **waiting_for("2.0")}},
        announces=[],
    ),
    Scenario(
        title="a resolution in a release is not moved by newer ones",
        section="5.4",
        given=[created(), created(version="2.0"), group()],
        when=[group(resolution=resolution("in_release", "1.0"))],
        groups={"WEB-1": {"resolution": {"release": "1.0", "type": "in_release"}}},
        announces=[announced("group.resolved", version="1.0", type="in_release")],
    ),
)
def test_newer_releases_that_are_there_already(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a group leaves the inbox when it becomes pending, not when it is settled",
        section="5.3",
        given=[created(), group(inbox="new"), pending("1.0")],
        when=[group(inbox="regression"), created(version="2.0")],
        groups={"WEB-1": {"inbox": "regression", **settled_in("2.0")}},
    ),
    Scenario(
        title="a group that is settled in the inbox can still be reviewed",
        section="5.5",
        given=[created(), pending("1.0"), group(inbox="manual"), created(version="2.0")],
        when=[group(inbox=None, actor=DANA)],
        groups={"WEB-1": {"inbox": None, **settled_in("2.0")}},
        announces=[announced("group.reviewed", actor=DANA_DID, activityType=23)],
    ),
    Scenario(
        title="deleting a release leaves the inbox alone",
        section="5.5",
        given=[group(), pushed(FIX), group(inbox="manual")],
        when=[deleted()],
        groups={"WEB-1": {"inbox": "manual", "status": "resolved", "resolution": None}},
    ),
    Scenario(
        title="a group in no release is resolved in one by hand, and leaves the inbox",
        section="5.5",
        given=[group(), pushed(FIX), deleted(), group(inbox="regression")],
        when=[group(resolution=resolution("in_release", "2.0"), actor=DANA)],
        groups={"WEB-1": {"inbox": None, **settled_in("2.0")}},
        announces=[announced("group.resolved", version="2.0", actor=DANA_DID)],
    ),
)
def test_inbox(system: System, scenario: Scenario) -> None:
    scenario.play(system)
