"""SEMANTICS section 2: what updating, deploying and deleting a release does, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.conformance.builders import (
    ANN,
    WEB,
    at,
    commit,
    created,
    deleted,
    deployed,
    group,
    pushed,
    ref,
    resolution,
    said_again,
    updated,
)
from tests.conformance.matching import exactly
from tests.conformance.scenario import Dead, Scenario, announced, scenarios

if TYPE_CHECKING:
    from tests.conformance.system import System

Json = dict[str, Any]
FIX = commit("a", "Fixes WEB-1", **ANN)
URL = "https://example.com/releases/1"
ONE_O_CLOCK, TWO_O_CLOCK = "2024-06-01T01:00:00Z", "2024-06-01T02:00:00Z"
VERSION = ("$.data.version",)


def change(before: str | None, after: str) -> Json:
    """Expect a change of a field."""
    return {"from": before, "to": after}


@scenarios(
    Scenario(
        title="an update changes what it gives and tells each change",
        section="2",
        given=[created(ref="main")],
        when=[updated(ref="v1", url=URL)],
        releases={"1.0": {"ref": "v1", "url": URL, "dateReleased": None, "status": "open"}},
        announces=[announced("release.updated", changes=exactly(ref=change("main", "v1"), url=change(None, URL)))],
    ),
    Scenario(
        title="an update that gives nothing new is not announced",
        section="6",
        given=[created(ref="main", url=URL, date_released=at(1))],
        when=[updated(ref="main", url=URL, date_released=at(1), status="open"), updated()],
        releases={"1.0": {"ref": "main", "url": URL, "dateReleased": ONE_O_CLOCK}},
        announces=[],
    ),
    Scenario(
        title="what an update does not give stays",
        section="2",
        given=[created(ref="main", url=URL, date_released=at(1), status="archived")],
        when=[updated(ref="v1")],
        releases={"1.0": {"ref": "v1", "url": URL, "dateReleased": ONE_O_CLOCK, "status": "archived"}},
        announces=[announced("release.updated", changes=exactly(ref=change("main", "v1")))],
    ),
    Scenario(
        title="the first date means that the release is out: told per project by slug, then as a change",
        section="2",
        given=[created("web", "api")],
        when=[updated(date_released=at(1))],
        releases={"1.0": {"dateReleased": ONE_O_CLOCK}},
        announces=[
            announced("release.released", project="api", dateReleased=ONE_O_CLOCK, activityType=10),
            announced("release.released", project="web", dateReleased=ONE_O_CLOCK, activityType=10),
            announced("release.updated", changes=exactly(dateReleased=change(None, ONE_O_CLOCK))),
        ],
    ),
    Scenario(
        title="another date is a change, and the release is not out once more",
        section="2",
        given=[created(date_released=at(1))],
        when=[updated(date_released=at(2))],
        releases={"1.0": {"dateReleased": TWO_O_CLOCK}},
        announces=[announced("release.updated", changes=exactly(dateReleased=change(ONE_O_CLOCK, TWO_O_CLOCK)))],
    ),
    Scenario(
        title="a release without project comes out silently, and is out for a project attached later",
        section="2",
        given=[pushed(projects=()), updated(date_released=at(1))],
        when=[created("web")],
        announces=[
            announced("release.created", project="web", created=False),
            announced("release.released", project="web", dateReleased=ONE_O_CLOCK),
        ],
    ),
    Scenario(
        title="an update archives a release and opens it again",
        section="2",
        given=[created(), updated(status="archived")],
        when=[updated(status="open")],
        releases={"1.0": {"status": "open"}},
        announces=[announced("release.updated", changes=exactly(status=change("archived", "open")))],
    ),
    Scenario(
        title="an update leaves the log, the heads and the projects alone",
        section="2",
        given=[pushed(commit("a"))],
        when=[updated(ref="v1", status="archived")],
        releases={
            "1.0": {
                "commitCount": 1,
                "lastCommit": "a",
                "headCommits": [{"repository": WEB, "commit": "a"}],
                "projects": ["web"],
            }
        },
    ),
    Scenario(
        title="a release that is not known cannot be updated",
        section="2",
        given=[created(version="2.0")],
        when=[lost := updated(ref="v1")],
        releases={"1.0": None},
        announces=[],
        dead=[Dead(lost, "unknown-release", VERSION)],
    ),
)
def test_updates(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a deploy is kept with the release and told to all its projects by slug",
        section="2",
        given=[created("web", "api")],
        when=[deployed(name="blue", url=URL, date_started=at(1), date_finished=at(2))],
        releases={
            "1.0": {
                "deploys": [
                    {
                        "environment": "production",
                        "name": "blue",
                        "url": URL,
                        "dateStarted": ONE_O_CLOCK,
                        "dateFinished": TWO_O_CLOCK,
                    }
                ]
            }
        },
        announces=[
            announced(
                "release.deployed",
                project=project,
                environment="production",
                name="blue",
                url=URL,
                dateStarted=ONE_O_CLOCK,
                dateFinished=TWO_O_CLOCK,
                activityType=17,
            )
            for project in ("api", "web")
        ],
    ),
    Scenario(
        title="a deploy of some projects is told to those only, once each",
        section="2",
        given=[created("web", "api")],
        when=[deployed(projects=["web", "web"], date_finished=at(1))],
        announces=[announced("release.deployed", project="web", name=None, url=None, dateStarted=None)],
    ),
    Scenario(
        title="a deploy of a release without projects is kept and told to nobody",
        section="2",
        given=[pushed(projects=())],
        when=[deployed(date_finished=at(1))],
        releases={"1.0": {"deploys": [{"environment": "production", "dateFinished": ONE_O_CLOCK}]}},
        announces=[],
    ),
    Scenario(
        title="deploys come last finished first, and one that does not say so has finished now",
        section="2",
        given=[created()],
        when=[
            deployed(name="second", date_finished=at(2)),
            deployed(name="now"),
            deployed(name="first", date_finished=at(1)),
            deployed("staging", name="second too", date_finished=at(2)),
        ],
        releases={
            "1.0": {"deploys": [{"name": name} for name in ("now", "second too", "second", "first")]},
        },
    ),
    Scenario(
        title="the same deploy told again changes nothing",
        section="6",
        given=[created(), told := deployed(name="blue", date_started=at(1), date_finished=at(2))],
        when=[said_again(told)],
        releases={"1.0": {"deploys": [{"name": "blue"}]}},
        announces=[],
    ),
    Scenario(
        title="the same deploy told of another project counts for that one",
        section="6",
        given=[created("web", "api"), deployed(name="blue", projects=["web"], date_finished=at(2))],
        when=[
            told := deployed(name="blue", projects=["api", "web"], date_finished=at(2)),
            said_again(told),
            created("mobile"),
            deployed(name="blue", date_finished=at(2)),
        ],
        releases={"1.0": {"deploys": [{"name": "blue"}]}},
        announces=[
            announced("release.deployed", project="api", name="blue"),
            announced("release.created", project="mobile", created=False),
        ],
    ),
    Scenario(
        title="a deploy that differs in anything is another one",
        section="6",
        given=[created(), deployed(name="blue", date_started=at(1), date_finished=at(2))],
        when=[
            deployed("staging", name="blue", date_started=at(1), date_finished=at(2)),
            deployed(name="green", date_started=at(1), date_finished=at(2)),
            deployed(name="blue", url=URL, date_started=at(1), date_finished=at(2)),
            deployed(name="blue", date_finished=at(2)),
            deployed(name="blue", date_started=at(1), date_finished=at(3)),
        ],
        announces=[announced("release.deployed")] * 5,
    ),
    Scenario(
        title="a deploy that does not say when it finished is always another one",
        section="6",
        given=[created(), told := deployed(name="blue")],
        when=[said_again(told)],
        releases={"1.0": {"deploys": [{"name": "blue"}, {"name": "blue"}]}},
        announces=[announced("release.deployed", name="blue")],
    ),
    Scenario(
        title="the same deploy of another release is a deploy",
        section="6",
        given=[created(), created(version="2.0"), deployed(date_finished=at(1))],
        when=[deployed(version="2.0", date_finished=at(1))],
        releases={"1.0": {"deploys": [{}]}, "2.0": {"deploys": [{}]}},
        announces=[announced("release.deployed", version="2.0")],
    ),
    Scenario(
        title="a release that is not known cannot be deployed",
        section="2",
        when=[stray := deployed(projects=["web"])],
        releases={"1.0": None},
        announces=[],
        dead=[Dead(stray, "unknown-release", VERSION)],
    ),
    Scenario(
        title="a deploy names every project that is wrong, and nothing of it happens",
        section="2",
        given=[created("web"), created("api", version="2.0")],
        when=[wrong := deployed(projects=["api", "web", "mobile"])],
        releases={"1.0": {"deploys": [], "projects": ["web"]}},
        announces=[],
        dead=[Dead(wrong, "invalid-project", ("$.data.projects[0]", "$.data.projects[2]"))],
    ),
    Scenario(
        title="a deploy that was refused is good when it is sent again after the project was attached",
        section="6",
        given=[created("web"), wrong := deployed(projects=["api"], date_finished=at(1))],
        when=[created("api"), wrong],
        releases={"1.0": {"deploys": [{"environment": "production"}]}},
        announces=[announced("release.created", project="api"), announced("release.deployed", project="api")],
        dead=[Dead(wrong, "invalid-project", ("$.data.projects[0]",))],
    ),
)
def test_deploys(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a release is deleted and told so",
        section="2",
        given=[pushed(commit("a")), deployed()],
        when=[deleted()],
        releases={"1.0": None},
        announces=[announced("release.deleted")],
    ),
    Scenario(
        title="deleting a release that is not known does nothing",
        section="2",
        given=[created(version="2.0"), pushed(commit("a")), deleted()],
        when=[deleted(), deleted("3.0")],
        releases={"1.0": None, "2.0": {"status": "open"}},
        announces=[],
    ),
    Scenario(
        title="a release is not deleted while a group was first seen in it",
        section="2",
        given=[pushed(commit("a")), group(first_release="1.0")],
        when=[kept := deleted()],
        releases={"1.0": {"commitCount": 1, "lastCommit": "a"}},
        announces=[],
        dead=[Dead(kept, "release-in-use", VERSION)],
    ),
    Scenario(
        title="a group of another organization does not keep a release",
        section="2",
        given=[created(), group(organization="globex", first_release="1.0")],
        when=[deleted()],
        releases={"1.0": None},
        announces=[announced("release.deleted")],
    ),
    Scenario(
        title="a release that a group was first seen in before it was known is kept too",
        section="2",
        given=[group(first_release="1.0")],
        when=[created(), kept := deleted()],
        releases={"1.0": {"projects": ["web"]}},
        announces=[announced("release.created")],
        dead=[Dead(kept, "release-in-use", VERSION)],
    ),
    Scenario(
        title="a release can be deleted once the group was first seen elsewhere",
        section="2",
        given=[created(), group(first_release="1.0"), group(first_release="0.9")],
        when=[deleted()],
        releases={"1.0": None},
        announces=[announced("release.deleted")],
    ),
    Scenario(
        title="deleting what is first seen and not known is no error",
        section="2",
        given=[group(first_release="1.0")],
        when=[deleted()],
        releases={"1.0": None},
        announces=[],
    ),
    Scenario(
        title="a release that is created anew has nothing of the one before",
        section="2",
        given=[
            created("web", "api", ref="main", url=URL, date_released=at(1), status="archived"),
            pushed(commit("a")),
            deployed(),
            deleted(),
        ],
        when=[created("web")],
        releases={
            "1.0": {
                "status": "open",
                "ref": None,
                "url": None,
                "dateReleased": None,
                "projects": ["web"],
                "commitCount": 0,
                "lastCommit": None,
                "authors": [],
                "commits": [],
                "headCommits": [],
                "deploys": [],
                "resolvedGroups": [],
            }
        },
        announces=[announced("release.created", project="web", created=True)],
    ),
    Scenario(
        title="the same deploy is one again in a release that was created anew",
        section="6",
        given=[created(), told := deployed(date_finished=at(1)), deleted(), created()],
        when=[said_again(told)],
        releases={"1.0": {"deploys": [{"environment": "production"}]}},
        announces=[announced("release.deployed", environment="production")],
    ),
    Scenario(
        title="the same list is set again in a release that was created anew",
        section="6",
        given=[sent := pushed(commit("a"), commit("b")), deleted()],
        when=[said_again(sent)],
        releases={"1.0": {"commitCount": 2, "lastCommit": "a"}},
        announces=[announced("release.created", created=True), announced("release.commits-set", commitCount=2)],
    ),
    Scenario(
        title="commits, authors and repositories outlive a release",
        section="2",
        given=[pushed(commit("a", "Work", **ANN)), deleted()],
        when=[pushed(commit("a"), version="2.0", refs=[ref(WEB, "a")])],
        releases={
            "2.0": {
                "commits": [{"message": "Work", "author": {"name": "Ann", "email": "ann@example.com"}}],
                "headCommits": [{"repository": WEB, "commit": "a"}],
            }
        },
    ),
    Scenario(
        title="another release that ships the same commits is not touched",
        section="2",
        given=[group(), pushed(FIX, version="2.0"), pushed(FIX), pushed(FIX, commit("b"), version="2.0")],
        when=[deleted()],
        releases={"1.0": None, "2.0": {"commitCount": 2, "lastCommit": "a"}},
        groups={"WEB-1": {"status": "resolved", "resolution": None}},
    ),
    Scenario(
        title="a group that was resolved in a deleted release stays resolved, in no release",
        section="2",
        given=[group(), pushed(FIX)],
        when=[deleted()],
        groups={"WEB-1": {"status": "resolved", "resolution": None, "links": [{"type": "commit", "id": "a"}]}},
        announces=[announced("release.deleted")],
    ),
    Scenario(
        title="a resolution by hand in a deleted release is gone, a pending one too",
        section="2",
        given=[
            created(),
            group(resolution=resolution("in_release", "1.0")),
            group("WEB-2", resolution=resolution("in_next_release", "1.0")),
            group("WEB-3", resolution=resolution("in_release", "2.0")),
        ],
        when=[deleted()],
        groups={
            "WEB-1": {"status": "resolved", "resolution": None},
            "WEB-2": {"status": "resolved", "resolution": None},
            "WEB-3": {"status": "resolved", "resolution": {"release": "2.0"}},
        },
        announces=[announced("release.deleted")],
    ),
    Scenario(
        title="the same commit resolves again in a release that was created anew",
        section="5.4",
        given=[group(), pushed(FIX), group(status="unresolved"), deleted()],
        when=[pushed(FIX)],
        groups={"WEB-1": {"status": "resolved", "resolution": {"release": "1.0", "type": "in_release"}}},
        releases={"1.0": {"resolvedGroups": ["WEB-1"]}},
        announces=[
            announced("release.created"),
            announced("release.commits-set"),
            announced("group.resolved", commit={"repository": WEB, "id": "a"}),
        ],
    ),
    Scenario(
        title="a message that changes after its release was deleted re-opens nothing",
        section="5.1",
        given=[group(), pushed(FIX), deleted()],
        when=[pushed(commit("a", "Never mind"), version="2.0")],
        groups={"WEB-1": {"status": "resolved", "resolution": None, "links": []}},
        announces=[announced("release.created", version="2.0"), announced("release.commits-set", version="2.0")],
    ),
    Scenario(
        title="a late group is not resolved in a release that is gone",
        section="2",
        given=[pushed(FIX), deleted()],
        when=[group()],
        groups={
            "WEB-1": {"status": "unresolved", "resolution": None, "links": [{"type": "commit", "id": "a"}]},
        },
        announces=[],
    ),
)
def test_deletions(system: System, scenario: Scenario) -> None:
    scenario.play(system)
