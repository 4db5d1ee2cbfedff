"""SEMANTICS section 5: what messages resolve, where, by whom, and how it is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.builders import (
    ANN,
    API,
    BOB,
    DANA,
    at,
    commit,
    created,
    group,
    issue,
    merged,
    pushed,
    resolution,
    said_again,
)
from tests.conformance.matching import NOT_THERE, any_order
from tests.conformance.scenario import Scenario, announced, scenarios

if TYPE_CHECKING:
    from tests.conformance.system import System

Json = dict[str, Any]
FIX = commit("a", "Fixes WEB-1", **ANN)
ANN_DID: Json = {"name": "Ann", "email": "ann@example.com"}
BOB_DID: Json = {"name": "Bob", "email": "bob@example.com"}
DANA_DID: Json = {"name": "Dana", "email": "dana@example.com"}
UNRESOLVED: Json = {"status": "unresolved", "resolution": None}


def resolved_in(version: str, actor: Json | None = None) -> Json:
    """Expect a group that a release resolved."""
    return {
        "status": "resolved",
        "resolution": {"release": version, "type": "in_release", "status": "resolved", "actor": actor},
    }


@pytest.mark.parametrize(
    ("message", "short_ids"),
    [
        ("Fixes WEB-1", {"WEB-1"}),
        ("fix: web-1", {"WEB-1"}),
        ("This FIXED WEB-1.", {"WEB-1"}),
        ("close WEB-1, closes API-2; closed nothing", {"WEB-1", "API-2"}),
        ("Resolve WEB-1 and API-2", {"WEB-1", "API-2"}),
        ("resolves: WEB-1, API-2", {"WEB-1", "API-2"}),
        ("resolved\nWEB-1", {"WEB-1"}),
        ("Work\n\nFixes WEB-1 api-2", {"WEB-1", "API-2"}),
        ("fix(WEB-1)", set()),
        ("fixing WEB-1", set()),
        ("prefixes WEB-1", set()),
        ("Fixes #12", set()),
        ("Fixes https://example.com/WEB-1", set()),
        ("See WEB-1", set()),
        ("fixesWEB-1", set()),
    ],
)
def test_which_groups_a_message_names(system: System, message: str, short_ids: set[str]) -> None:
    groups = ("WEB-1", "API-2")
    Scenario(
        title=f"the message {message!r} names {sorted(short_ids) or 'no group'}",
        section="5.1",
        given=[group("WEB-1"), group("API-2")],
        when=[pushed(commit("a", message))],
        groups={
            short_id: {"links": [{"type": "commit", "id": "a", "relationship": "resolves"}], **resolved_in("1.0")}
            if short_id in short_ids
            else {"links": [], **UNRESOLVED}
            for short_id in groups
        },
    ).play(system)


@scenarios(
    Scenario(
        title="a group linked to a commit of the log is resolved in the release, by the author of the commit",
        section="5.3",
        given=[group(inbox="new")],
        when=[pushed(FIX)],
        groups={"WEB-1": {**resolved_in("1.0", ANN_DID), "inbox": None}},
        releases={"1.0": {"resolvedGroups": ["WEB-1"]}},
    ),
    Scenario(
        title="a commit without author resolves without actor",
        section="5.3",
        given=[group()],
        when=[pushed(commit("a", "Fixes WEB-1"))],
        groups={"WEB-1": resolved_in("1.0", None)},
    ),
    Scenario(
        title="an ignored group is resolved too",
        section="5.3",
        given=[group(status="ignored")],
        when=[pushed(FIX)],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
    Scenario(
        title="a commit that is ignored resolves nothing",
        section="5.2",
        given=[group()],
        when=[pushed(commit("a", "Fixes WEB-1 #skipsentry"))],
        groups={"WEB-1": {**UNRESOLVED, "links": []}},
    ),
    Scenario(
        title="groups of projects that are not attached to the release are not resolved, but linked",
        section="5.2",
        given=[group("API-1", "api")],
        when=[pushed(commit("a", "Fixes API-1"))],
        groups={"API-1": {**UNRESOLVED, "links": [{"type": "commit", "id": "a"}]}},
    ),
    Scenario(
        title="a group is resolved when its project is attached later",
        section="5.2",
        given=[group("API-1", "api"), pushed(commit("a", "Fixes API-1"))],
        when=[created("api")],
        groups={"API-1": resolved_in("1.0")},
    ),
    Scenario(
        title="a group is resolved when it moves to a project of the release",
        section="5.2",
        given=[group(project="api"), pushed(FIX)],
        when=[group(project="web")],
        groups={"WEB-1": {"project": "web", **resolved_in("1.0", ANN_DID)}},
    ),
    Scenario(
        title="groups of other organizations are not named",
        section="5.1",
        given=[group(organization="globex")],
        when=[pushed(FIX)],
        groups={"WEB-1": None},
        announces=[announced("release.created"), announced("release.commits-set")],
    ),
    Scenario(
        title="the author that is stored counts where the push names none",
        section="5.3",
        given=[pushed(commit("a", **ANN), version="0.9"), group()],
        when=[pushed(commit("a", "Fixes WEB-1"))],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
    Scenario(
        title="of several commits the oldest one of the list tells who did it",
        section="5.3",
        given=[group()],
        when=[pushed(commit("a", "Fixes WEB-1", **ANN), commit("b", "Fixes WEB-1", **BOB))],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
    ),
)
def test_resolving_by_commits(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a pull request alone resolves nothing",
        section="5.2",
        given=[group()],
        when=[merged("7", "a", "Fixes WEB-1")],
        groups={"WEB-1": {**UNRESOLVED, "links": [{"type": "pull_request", "id": "7", "relationship": "resolves"}]}},
    ),
    Scenario(
        title="a pull request resolves where its merge commit ships, by its own author",
        section="5.2",
        given=[group(), merged("7", "a", "Fixes WEB-1", **BOB)],
        when=[pushed(commit("a", "Merge", **ANN))],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
    ),
    Scenario(
        title="a pull request that comes after its merge commit has shipped resolves at once",
        section="2",
        given=[group(), pushed(commit("a", "Merge"))],
        when=[merged("7", "a", "Fixes WEB-1", **BOB)],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
    ),
    Scenario(
        title="the title of a pull request counts like its message",
        section="5.1",
        given=[group(), group("WEB-2"), pushed(commit("a"))],
        when=[merged("7", "a", "Closes WEB-2", title="Fix WEB-1")],
        groups={"WEB-1": resolved_in("1.0"), "WEB-2": resolved_in("1.0")},
    ),
    Scenario(
        title="title and message are searched separately",
        section="5.1",
        given=[group(), pushed(commit("a"))],
        when=[merged("7", "a", "WEB-1", title="Fix")],
        groups={"WEB-1": {**UNRESOLVED, "links": []}},
    ),
    Scenario(
        title="the merge commit may be in another repository of the organization",
        section="5.2",
        given=[group(), merged("7", "a", "Fixes WEB-1", repository=API)],
        when=[pushed(commit("a"))],
        groups={"WEB-1": resolved_in("1.0")},
    ),
    Scenario(
        title="of commits and pull requests the pull request tells who did it",
        section="5.3",
        given=[group(), merged("7", "a", "Fixes WEB-1", **BOB)],
        when=[pushed(FIX)],
        groups={
            "WEB-1": {
                **resolved_in("1.0", BOB_DID),
                "links": any_order({"type": "commit", "id": "a"}, {"type": "pull_request", "id": "7"}),
            }
        },
    ),
    Scenario(
        title="a pull request without shipped merge commit waits for its release",
        section="5.2",
        given=[group(), pushed(commit("b")), merged("7", "a", "Fixes WEB-1")],
        when=[pushed(commit("a"), version="2.0")],
        groups={"WEB-1": resolved_in("2.0")},
    ),
)
def test_resolving_by_pull_requests(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a group that appears after the fix has shipped is resolved at once",
        section="2",
        given=[pushed(FIX)],
        when=[group()],
        groups={"WEB-1": {**resolved_in("1.0", ANN_DID), "links": [{"type": "commit", "id": "a"}]}},
    ),
    Scenario(
        title="a group that appears after a pull request has shipped is resolved at once",
        section="2",
        given=[merged("7", "a", "Fixes WEB-1", **BOB), pushed(commit("a"))],
        when=[group()],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
    ),
    Scenario(
        title="a group that appears late moves through the releases that ship its fix to the last one set",
        section="2",
        given=[created(), pushed(FIX, version="2.0"), pushed(FIX, version="1.0")],
        when=[group()],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
        announces=[
            announced("group.resolved", version="2.0"),
            announced("group.resolved", version="1.0"),
        ],
    ),
    Scenario(
        title="a group that appears in a project without the release waits for it",
        section="2",
        given=[pushed(FIX, projects=["api"])],
        when=[group(inbox="new")],
        groups={"WEB-1": {**UNRESOLVED, "inbox": "new"}},
        announces=[],
    ),
)
def test_late_groups(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a group that is pending in the next release is resolved in the one that ships",
        section="5.4",
        given=[group(), group(resolution=resolution("in_next_release", "0.9"))],
        when=[pushed(FIX)],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
    Scenario(
        title="a group that is pending in an upcoming release is resolved in the one that ships",
        section="5.4",
        given=[group(), group(resolution=resolution("in_upcoming_release", "1.0"))],
        when=[pushed(FIX)],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
    Scenario(
        title="a group that is resolved elsewhere moves to the release that ships last",
        section="5.4",
        given=[group(), pushed(FIX)],
        when=[pushed(FIX, version="2.0")],
        groups={"WEB-1": resolved_in("2.0", ANN_DID)},
        releases={"1.0": {"resolvedGroups": []}, "2.0": {"resolvedGroups": ["WEB-1"]}},
    ),
    Scenario(
        title="the same commit does not resolve a group again that someone re-opened",
        section="5.4",
        given=[group(), sent := pushed(FIX), group(status="unresolved")],
        when=[said_again(sent), pushed(FIX, commit("b")), created("api")],
        groups={"WEB-1": UNRESOLVED},
    ),
    Scenario(
        title="a re-opened group is resolved by another commit of the same release",
        section="5.4",
        given=[group(), pushed(FIX), group(status="unresolved")],
        when=[pushed(commit("b", "Fixes WEB-1", **BOB), FIX)],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
    ),
    Scenario(
        title="a re-opened group is resolved by the same commit in another release",
        section="5.4",
        given=[group(), pushed(FIX), group(status="unresolved")],
        when=[pushed(FIX, version="2.0")],
        groups={"WEB-1": resolved_in("2.0", ANN_DID)},
    ),
    Scenario(
        title="a commit that left the log and came back does not resolve again",
        section="5.4",
        given=[group(), pushed(FIX), pushed(), group(status="unresolved")],
        when=[pushed(FIX)],
        groups={"WEB-1": UNRESOLVED},
    ),
    Scenario(
        title="a group stays resolved when its fix leaves the log",
        section="5",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("b"))],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
    Scenario(
        title="another fix in the same release changes the actor and announces nothing of the group",
        section="5.4",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("b", "Fixes WEB-1", **BOB), FIX)],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
        announces=[announced("release.commits-set")],
    ),
    Scenario(
        title="a pending resolution in the same release becomes a resolved one and is announced",
        section="5.4",
        given=[group(), group(resolution=resolution("in_next_release", "1.0"))],
        when=[pushed(FIX)],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
        announces=[
            announced("release.created"),
            announced("release.commits-set"),
            announced("group.resolved", type="in_release"),
        ],
    ),
)
def test_resolving_once(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a message that no longer names a group loses the link, and the group is unresolved",
        section="5.1",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("a", "Never mind"))],
        groups={"WEB-1": {**UNRESOLVED, "links": []}},
        releases={"1.0": {"resolvedGroups": []}},
    ),
    Scenario(
        title="an empty message loses the link, an absent one keeps it",
        section="5.1",
        given=[group(), group("WEB-2"), pushed(FIX, commit("b", "Fixes WEB-2"))],
        when=[pushed(commit("a", ""), commit("b"))],
        groups={"WEB-1": {**UNRESOLVED, "links": []}, "WEB-2": resolved_in("1.0")},
    ),
    Scenario(
        title="a message may change in another release than the one it resolved in",
        section="5.1",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("a", "Never mind"), version="2.0")],
        groups={"WEB-1": UNRESOLVED},
    ),
    Scenario(
        title="a group stays resolved while another link of the release upholds it",
        section="5.1",
        given=[group(), pushed(FIX, commit("b", "Fixes WEB-1"))],
        when=[pushed(commit("a", "Never mind"), commit("b"))],
        groups={"WEB-1": {"status": "resolved", "links": [{"type": "commit", "id": "b"}]}},
    ),
    Scenario(
        title="a group that was resolved by hand in a next release is not touched by a lost link",
        section="5.1",
        given=[group(), pushed(FIX), group(resolution=resolution("in_next_release", "1.0"))],
        when=[pushed(commit("a", "Never mind"))],
        groups={"WEB-1": {"status": "resolved", "resolution": {"type": "in_next_release", "status": "pending"}}},
    ),
    Scenario(
        title="a group that was resolved by hand in a release is not touched by a link that never resolved it",
        section="5.1",
        given=[
            group(),
            group(resolution=resolution("in_release", "1.0")),
            pushed(FIX, version="2.0", projects=["api"]),
        ],
        when=[pushed(commit("a", "Never mind"), version="2.0", projects=["api"])],
        groups={"WEB-1": {**resolved_in("1.0"), "links": []}},
    ),
    Scenario(
        title="a group that has moved to another release is not touched by a link that resolved it before",
        section="5.1",
        given=[group(), pushed(FIX), pushed(commit("b", "Fixes WEB-1"), version="2.0")],
        when=[pushed(commit("a", "Never mind"))],
        groups={"WEB-1": resolved_in("2.0")},
    ),
    Scenario(
        title="a link that comes back does not resolve the same release again",
        section="5.4",
        given=[group(), pushed(FIX), pushed(commit("a", "Never mind"))],
        when=[pushed(FIX)],
        groups={"WEB-1": {**UNRESOLVED, "links": [{"type": "commit", "id": "a"}]}},
    ),
    Scenario(
        title="a pull request that no longer names a group loses the link, and the group is unresolved",
        section="5.1",
        given=[group(), merged("7", "a", "Fixes WEB-1"), pushed(commit("a"))],
        when=[merged("7", "a", "Never mind")],
        groups={"WEB-1": {**UNRESOLVED, "links": []}},
    ),
    Scenario(
        title="a fix that moves from one commit to another re-opens and resolves again",
        section="5.1",
        given=[group(), pushed(FIX)],
        when=[pushed(commit("b", "Fixes WEB-1", **BOB), commit("a", "Never mind"))],
        groups={"WEB-1": resolved_in("1.0", BOB_DID)},
        announces=[
            announced("release.commits-set"),
            announced("group.unresolved", commit={"repository": "acme/web", "id": "a"}),
            announced("group.resolved", commit={"repository": "acme/web", "id": "b"}),
        ],
    ),
)
def test_messages_that_change(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a new group is unresolved, without title, outside the inbox",
        section="2",
        when=[group()],
        groups={"WEB-1": {"project": "web", "title": "", "inbox": None, "links": [], "activity": [], **UNRESOLVED}},
        announces=[],
    ),
    Scenario(
        title="what a group event does not carry stays",
        section="2",
        given=[group(title="Broken", status="ignored", external_issues=[issue("jira", "W-5")])],
        when=[group(inbox="regression")],
        groups={
            "WEB-1": {
                "title": "Broken",
                "status": "ignored",
                "inbox": "regression",
                "links": [{"type": "issue", "id": "W-5"}],
            }
        },
    ),
    Scenario(
        title="the first reason to be in the inbox stays",
        section="5.5",
        given=[group(inbox="new")],
        when=[group(inbox="regression")],
        groups={"WEB-1": {"inbox": "new"}},
    ),
    Scenario(
        title="reviewing a group takes it out of the inbox and tells who did",
        section="5.5",
        given=[group(inbox="new")],
        when=[group(inbox=None, actor=DANA)],
        groups={"WEB-1": {"inbox": None, "status": "unresolved"}},
        announces=[announced("group.reviewed", actor=DANA_DID, activityType=23)],
    ),
    Scenario(
        title="reviewing without an actor is not announced",
        section="5.5",
        given=[group(inbox="new")],
        when=[group(inbox=None)],
        groups={"WEB-1": {"inbox": None}},
        announces=[],
    ),
    Scenario(
        title="reviewing a group that is not in the inbox does nothing",
        section="5.5",
        given=[group()],
        when=[group(inbox=None, actor=DANA)],
        groups={"WEB-1": {"inbox": None}},
        announces=[],
    ),
    Scenario(
        title="a group resolved by hand leaves the inbox",
        section="5.5",
        given=[group(inbox="new")],
        when=[group(status="resolved", actor=DANA)],
        groups={"WEB-1": {"status": "resolved", "resolution": None, "inbox": None}},
    ),
    Scenario(
        title="a group resolved by hand in a release is resolved there by the actor",
        section="2",
        given=[group()],
        when=[group(resolution=resolution("in_release", "1.0"), actor=DANA)],
        groups={"WEB-1": resolved_in("1.0", DANA_DID)},
        releases={"1.0": None},
    ),
    Scenario(
        title="a resolution in the next release is pending",
        section="2",
        given=[group()],
        when=[group(status="resolved", resolution=resolution("in_next_release", "1.0"))],
        groups={
            "WEB-1": {
                "status": "resolved",
                "resolution": {"release": "1.0", "type": "in_next_release", "status": "pending", "actor": None},
            }
        },
    ),
    Scenario(
        title="an ignored group leaves the inbox and loses its resolution without a word",
        section="2",
        given=[group(), pushed(FIX), group(inbox="manual")],
        when=[group(status="ignored", actor=DANA)],
        groups={"WEB-1": {"status": "ignored", "resolution": None, "inbox": None}},
        announces=[],
    ),
    Scenario(
        title="external issues are replaced as a whole",
        section="2",
        given=[group(external_issues=[issue("jira", "W-5"), issue("jira", "W-6")])],
        when=[group(external_issues=[issue("github", "acme/web#7")])],
        groups={"WEB-1": {"links": [{"type": "issue", "id": "acme/web#7"}]}},
    ),
    Scenario(
        title="the activity of a group is kept, oldest first",
        section="8",
        given=[group(inbox="new"), group(inbox=None, actor=DANA), pushed(FIX), group(status="unresolved", actor=DANA)],
        when=[group(status="resolved")],
        groups={
            "WEB-1": {
                "activity": [
                    {"type": "activity.group.reviewed"},
                    {"type": "activity.group.resolved", "data": {"version": "1.0", "commit": {"id": "a"}}},
                    {"type": "activity.group.unresolved", "data": {"version": "1.0", "actor": DANA_DID}},
                    {"type": "activity.group.resolved", "data": {"version": None, "commit": NOT_THERE}},
                ]
            }
        },
    ),
    Scenario(
        title="a group that is created resolved is not announced",
        section="7",
        when=[group(status="resolved", resolution=resolution("in_release", "1.0"))],
        groups={"WEB-1": resolved_in("1.0")},
        announces=[],
    ),
    Scenario(
        title="a pushed commit with a timestamp resolves whatever its age",
        section="5.3",
        given=[group()],
        when=[pushed(commit("b", timestamp=at(5)), commit("a", "Fixes WEB-1", timestamp=at(1), **ANN))],
        groups={"WEB-1": resolved_in("1.0", ANN_DID)},
    ),
)
def test_group_events(system: System, scenario: Scenario) -> None:
    scenario.play(system)
