"""SEMANTICS section 3: what is invalid is dead-lettered with every JSON path, and its neighbours go on.

Only a system that decodes documents can be judged here, so the reference model is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.builders import ACME, ANN, commit, created, group, merged, project, pushed, ref
from tests.model.cloudevents import as_cloudevent

if TYPE_CHECKING:
    from consumer.contracts.events import AnyEvent
    from tests.conformance.system import System

Json = dict[str, Any]
decoding_systems = pytest.mark.parametrize("system", ["product"], indirect=True)

MISSING: Any = object()


def changed(event: AnyEvent, **data: Any) -> Json:
    """Return the document of an event with other data; ``MISSING`` takes a field out."""
    document = as_cloudevent(event)
    fields = document["data"] | data
    document["data"] = {name: value for name, value in fields.items() if value is not MISSING}
    return document


def with_commit(**fields: Any) -> Json:
    """A push of one commit, then changed."""
    good = as_cloudevent(pushed(commit("a")))["data"]["commits"][0] | fields
    return changed(pushed(), commits=[{name: value for name, value in good.items() if value is not MISSING}])


def paths_of(system: System, document: Json) -> set[str]:
    """Publish a document that must die, and return the paths that its dead letter names."""
    system.publish(document)
    system.process()
    letters = [letter for letter in system.dead_letters() if letter["id"] == document["id"]]
    assert len(letters) == 1, letters
    return {violation["path"] for violation in letters[0]["violations"]}


@decoding_systems
@pytest.mark.parametrize(
    "version",
    [
        "",
        " ",
        ".",
        "..",
        " . ",
        "latest",
        "Latest",
        " LATEST ",
        "1\n0",
        "1\r0",
        "1\t0",
        "1\f0",
        "1/0",
        "1\\0",
        "1" * 201,
        None,
        1.0,
    ],
)
def test_versions_that_are_refused(system: System, version: object) -> None:
    assert paths_of(system, changed(pushed(commit("a")), version=version)) == {"$.data.version"}


@decoding_systems
@pytest.mark.parametrize(
    "version", ["1.2.1 (123)", " 1", "1.2.3 ", "1\u20130", "-1", "1.2.3+dev", "web@2.0", "...", "latest2", "1" * 200]
)
def test_versions_that_are_kept_verbatim(system: System, version: str) -> None:
    system.publish(pushed(commit("a"), version=version))
    system.process()
    release = system.release(ACME, version)
    assert system.dead_letters() == []
    assert release is not None
    assert release["version"] == version


@decoding_systems
@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param(with_commit(id=""), "$.data.commits[0].id", id="a commit id is not empty"),
        pytest.param(with_commit(id=None), "$.data.commits[0].id", id="a commit id is not null"),
        pytest.param(with_commit(id="a" * 65), "$.data.commits[0].id", id="a commit id has at most 64 characters"),
        pytest.param(
            with_commit(repository="a" * 201), "$.data.commits[0].repository", id="a repository has at most 200"
        ),
        pytest.param(with_commit(message=7), "$.data.commits[0].message", id="a message is text"),
        pytest.param(
            with_commit(author_name="a" * 129), "$.data.commits[0].author_name", id="an author name has at most 128"
        ),
        pytest.param(
            with_commit(author_email="a" * 201), "$.data.commits[0].author_email", id="an e-mail has at most 200"
        ),
        pytest.param(
            with_commit(timestamp="yesterday"), "$.data.commits[0].timestamp", id="a timestamp is of RFC 3339"
        ),
        pytest.param(
            with_commit(timestamp="2024-02-30T00:00:00Z"),
            "$.data.commits[0].timestamp",
            id="a timestamp is a day of the calendar",
        ),
        pytest.param(
            with_commit(patch_set=[{"path": "a.py", "type": "A"}, {"path": "b.py", "type": "R"}]),
            "$.data.commits[0].patch_set[1].type",
            id="a file change is A, M or D",
        ),
        pytest.param(
            with_commit(patch_set=[{"path": "a" * 511, "type": "A"}]),
            "$.data.commits[0].patch_set[0].path",
            id="a path has at most 510 characters",
        ),
        pytest.param(
            with_commit(patch_set=[{"path": "", "type": "A"}]),
            "$.data.commits[0].patch_set[0].path",
            id="a path is not empty",
        ),
        pytest.param(changed(pushed(), commits={}), "$.data.commits", id="commits are a list"),
        pytest.param(changed(pushed(), commits=None), "$.data.commits", id="commits of a push are not null"),
        pytest.param(changed(pushed(), refs="a"), "$.data.refs", id="refs are a list"),
        pytest.param(changed(created(), projects="web"), "$.data.projects", id="projects are a list"),
        pytest.param(changed(created("web"), projects=[]), "$.data.projects", id="a creation names a project"),
        pytest.param(changed(created(), ref="a" * 201), "$.data.ref", id="a ref name has at most 200"),
        pytest.param(changed(created(), url="no url"), "$.data.url", id="a url is a URL"),
        pytest.param(
            changed(created(), url="https://example.com/" + "a" * 200), "$.data.url", id="a url has at most 200"
        ),
        pytest.param(changed(created(), status="closed"), "$.data.status", id="a status is open or archived"),
        pytest.param(changed(created(), dateReleased="soon"), "$.data.dateReleased", id="dateReleased is a time"),
        pytest.param(changed(created(), projects=["web", "12"]), "$.data.projects[1]", id="a slug is not a number"),
        pytest.param(changed(created(), projects=["a b"]), "$.data.projects[0]", id="a slug has no spaces"),
        pytest.param(changed(created(), organization="a" * 51), "$.data.organization", id="a slug has at most 50"),
        pytest.param(changed(project("web"), project="ä"), "$.data.project", id="a slug is ASCII"),
        pytest.param(changed(pushed(), replace="all"), "$.data.replace", id="replace is release or repositories"),
        pytest.param(changed(group(), status="open"), "$.data.status", id="a group status is one of three"),
        pytest.param(changed(group(), inbox="old"), "$.data.inbox", id="an inbox reason is a known one"),
        pytest.param(with_commit(message="a\x00b"), "$.data.commits[0].message", id="NUL is invalid anywhere"),
        pytest.param(
            changed(pushed(commit("a"), refs=[ref("acme/web", "a" * 65)])),
            "$.data.refs[0].commit",
            id="the commit of a ref has at most 64 characters",
        ),
    ],
)
def test_what_is_refused(system: System, document: Json, path: str) -> None:
    assert paths_of(system, document) == {path}


@decoding_systems
@pytest.mark.parametrize(
    ("document", "parent", "field"),
    [
        (changed(pushed(), version=MISSING), "$.data", "version"),
        (changed(pushed(), organization=MISSING), "$.data", "organization"),
        (changed(pushed(), commits=MISSING), "$.data", "commits"),
        (changed(created(), projects=MISSING), "$.data", "projects"),
        (changed(group(), shortId=MISSING), "$.data", "shortId"),
        (changed(merged("7", "a"), mergeCommitSha=MISSING), "$.data", "mergeCommitSha"),
        (with_commit(id=MISSING), "$.data.commits[0]", "id"),
    ],
)
def test_what_is_required(system: System, document: Json, parent: str, field: str) -> None:
    """The path of what is missing may be its own or that of the object that misses it."""
    assert paths_of(system, document) in ({parent}, {f"{parent}.{field}"})


@decoding_systems
def test_every_error_is_named(system: System) -> None:
    document = changed(pushed(), version="a/b", refs="none")
    document["data"]["commits"] = [{"id": ""}, {"id": "b", "timestamp": "never"}]
    assert paths_of(system, document) == {
        "$.data.version",
        "$.data.refs",
        "$.data.commits[0].id",
        "$.data.commits[1].timestamp",
    }


@decoding_systems
def test_neighbours_of_an_invalid_event_go_on(system: System) -> None:
    invalid = with_commit(id="")
    system.publish(pushed(commit("a")), invalid, pushed(commit("b")), pushed(commit("c"), version="2.0"))
    system.process()
    first, second = system.release(ACME, "1.0"), system.release(ACME, "2.0")
    assert first is not None
    assert second is not None
    assert [first["lastCommit"], second["lastCommit"]] == ["b", "c"]
    assert [letter["id"] for letter in system.dead_letters()] == [invalid["id"]]


@decoding_systems
@pytest.mark.parametrize(
    ("fields", "stored"),
    [
        pytest.param({"message": None}, {"message": ""}, id="a null message is an empty one"),
        pytest.param({"timestamp": None}, {"id": "a"}, id="a null timestamp is a missing one"),
        pytest.param(
            {"timestamp": "2024-06-01T01:00:00"},
            {"dateCreated": "2024-06-01T01:00:00Z"},
            id="a naive timestamp means UTC",
        ),
        pytest.param(
            {"timestamp": "2024-06-01T03:00:00+02:00"},
            {"dateCreated": "2024-06-01T01:00:00Z"},
            id="a timestamp is told in UTC",
        ),
        pytest.param(
            {"author_name": None, "author_email": "email[test]@example.org"},
            {"author": {"name": None, "email": "email[test]@example.org"}},
            id="an e-mail is not checked for syntax",
        ),
        pytest.param(ANN | {"author_email": "a" * 200}, {"id": "a"}, id="an e-mail may have 200 characters"),
        pytest.param({"unknown": {"field": 1}}, {"id": "a"}, id="unknown fields are ignored"),
        pytest.param(
            {"patch_set": [{"path": "a" * 510, "type": "D"}]},
            {"patchSet": [{"path": "a" * 510, "type": "D"}]},
            id="a path may have 510 characters",
        ),
    ],
)
def test_what_is_accepted(system: System, fields: Json, stored: Json) -> None:
    system.publish(with_commit(**fields))
    system.process()
    release = system.release(ACME, "1.0")
    assert system.dead_letters() == []
    assert release is not None
    assert release["commits"][0] | stored == release["commits"][0]


@decoding_systems
@pytest.mark.parametrize("repository", [None, "", " "])
def test_a_blank_repository_is_a_missing_one(system: System, repository: str | None) -> None:
    system.publish(with_commit(repository=repository))
    system.process()
    release = system.release(ACME, "1.0")
    assert release is not None
    assert release["commits"][0]["repository"] == system.fallback_repository(ACME)


@decoding_systems
def test_a_range_is_split_and_overrides_the_previous_commit(system: System) -> None:
    document = changed(pushed(commit("a")), refs=[{"repository": "acme/web", "commit": "x..z", "previousCommit": "y"}])
    system.publish(document)
    system.process()
    release = system.release(ACME, "1.0")
    assert release is not None
    assert release["headCommits"] == [{"repository": "acme/web", "commit": "z"}]
