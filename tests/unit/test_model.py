"""The reference model against small cases worked out by hand, many of them from what upstream's own tests assert."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from consumer.contracts import decode
from consumer.contracts.events import (
    Actor,
    CommitData,
    CommitsPushed,
    GroupUpdated,
    OrganizationUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ReleaseDeleted,
    ReleaseDeployed,
    ResolutionData,
)
from tests.model.authors import email_spelling
from tests.model.organizations import without_idents
from tests.model.outcomes import DUPLICATE
from tests.model.reference import ReferenceModel
from tests.model.references import referenced_short_ids
from tests.model.strategies import LONGEST, SHORTEST, as_cloudevent, history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.contracts.events import AnyEvent
    from tests.model.outcomes import Outcome

DAWN = datetime(2025, 1, 1, tzinfo=UTC)
SEEDS = range(40)
MEGABYTE = 1 << 20
ENVELOPE: dict[str, Any] = {"source": "/ci", "organization": "acme", "version": "1.0"}


def push(number: int, *commits: CommitData, version: str = "1.0") -> CommitsPushed:
    return CommitsPushed(
        id=str(number), source="/ci", organization="acme", version=version, commits=list(commits), projects=["web"]
    )


def group(number: int, **fields: Any) -> GroupUpdated:
    return GroupUpdated(
        id=str(number), source="/tracker", organization="acme", project="web", short_id="WEB-1", **fields
    )


def commit(commit_id: str, message: str | None = None, timestamp: datetime | None = None) -> CommitData:
    return CommitData(commit_id, "acme/web", message, timestamp=timestamp)


def apply_all(model: ReferenceModel, *events: AnyEvent) -> list[Outcome]:
    return [model.apply(event, DAWN + timedelta(seconds=second)) for second, event in enumerate(events)]


def types(model: ReferenceModel) -> list[str]:
    return [activity.type.removeprefix("activity.") for activity in model.activities]


def is_subsequence(part: Sequence[object], whole: Sequence[object]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


@pytest.mark.parametrize(
    ("text", "short_ids"),
    [
        ("Fixes FOO-12", {"FOO-12"}),
        ("fixes foo-12", {"FOO-12"}),
        ("Fixes: FOO-12, BAR-3", {"FOO-12", "BAR-3"}),
        ("fixed FOO-12 and BAR-9", {"FOO-12", "BAR-9"}),
        ("Resolves\nFOO-1", {"FOO-1"}),
        ("close MY-APP-2K", {"MY-APP-2K"}),
        ("Fixes FOO-1. Closes BAR-2.", {"FOO-1", "BAR-2"}),
        ("fix(FOO-12): work", set()),
        ("fixing FOO-1", set()),
        ("prefixes FOO-1", set()),
        ("Fixes #12", set()),
        ("fixes https://example.com/FOO-1", set()),
        ("", set()),
    ],
)
def test_references(text: str, short_ids: set[str]) -> None:
    assert referenced_short_ids([text]) == short_ids


@pytest.mark.parametrize(
    ("name", "email", "spelling"),
    [
        ("Joe^^", None, "joe@localhost"),
        ("Foo Bar", None, "foobar@localhost"),
        ("山田", None, "山田@localhost"),
        ("^^^", None, None),
        ("", None, None),
        (None, None, None),
        ("Joe", "", None),
        ("Joe", "Joe@Example.com", "Joe@Example.com"),
        (None, "a" * 75, "a" * 75),
        (None, "a" * 76, "a" * 72 + "..."),
    ],
)
def test_emails_of_authors(name: str | None, email: str | None, spelling: str | None) -> None:
    assert email_spelling(CommitData("a", author_name=name, author_email=email)) == spelling


def test_a_push_in_full() -> None:
    model = ReferenceModel()
    listed = CommitData("a" * 40, "acme/web", "Work", "Ann", "Ann@Example.com", DAWN, [("b.py", "M"), ("a.py", "A")])
    older = CommitData("b" * 40, None, author_name="Joe^^")
    apply_all(model, push(1, older, listed))
    ann = {"name": "Ann", "email": "ann@example.com"}
    joe = {"name": "Joe^^", "email": "joe@localhost"}
    assert model.release("acme", "1.0") == {
        "organization": "acme",
        "version": "1.0",
        "status": "open",
        "ref": None,
        "url": None,
        "dateReleased": None,
        "commitCount": 2,
        "lastCommit": "a" * 40,
        "authors": [ann, joe],
        "projects": ["web"],
        "commits": [
            {
                "id": "a" * 40,
                "repository": "acme/web",
                "message": "Work",
                "author": ann,
                "dateCreated": "2025-01-01T00:00:00Z",
                "patchSet": [{"path": "a.py", "type": "A"}, {"path": "b.py", "type": "M"}],
            },
            {
                "id": "b" * 40,
                "repository": "organization-acme",
                "message": None,
                "author": joe,
                "dateCreated": None,
                "patchSet": [],
            },
        ],
        "headCommits": [
            {"repository": "acme/web", "commit": "a" * 40},
            {"repository": "organization-acme", "commit": "b" * 40},
        ],
        "deploys": [],
        "resolvedGroups": [],
    }
    assert types(model) == ["release.created", "release.commits-set"]
    assert model.activities[1].key == "acme:1.0"
    assert model.activities[1].cause == ("/ci", "1")


def test_the_repository_of_last_resort_can_be_mapped() -> None:
    model = ReferenceModel(lambda slug: f"organization-{len(slug)}")
    apply_all(model, push(1, CommitData("a")))
    assert model.release("acme", "1.0")["commits"][0]["repository"] == "organization-4"


def test_ignore_markers_are_a_setting() -> None:
    model = ReferenceModel(ignore_markers=["[skip]", "[no]"])
    apply_all(model, push(1, commit("a", "x [skip]"), commit("b", "[no]"), commit("c", "#skipsentry")))
    assert [entry["id"] for entry in model.release("acme", "1.0")["commits"]] == ["c"]


def test_a_group_in_full() -> None:
    model = ReferenceModel()
    apply_all(model, group(1, title="Broken", inbox="new"), push(2, commit("a", "Fixes WEB-1")))
    data = {
        "organization": "acme",
        "project": "web",
        "shortId": "WEB-1",
        "version": "1.0",
        "type": "in_release",
        "actor": None,
        "activityType": 13,
        "commit": {"repository": "acme/web", "id": "a"},
    }
    assert model.group("acme", "WEB-1") == {
        "organization": "acme",
        "project": "web",
        "shortId": "WEB-1",
        "title": "Broken",
        "status": "resolved",
        "inbox": None,
        "resolution": {"release": "1.0", "type": "in_release", "status": "resolved", "actor": None},
        "links": [{"type": "commit", "id": "a", "relationship": "resolves"}],
        "activity": [{"type": "activity.group.resolved", "data": data}],
    }
    assert model.activities[-1].key == "acme:WEB-1"


def test_the_actor_is_the_author_as_stored_after_the_update() -> None:
    model = ReferenceModel()
    named = CommitData("a", "acme/web", None, "Old", "ann@example.com")
    renamed = CommitData("a", "acme/web", "Fixes WEB-1", "New", "ann@example.com")
    apply_all(model, group(1), push(2, named), push(3, renamed))
    assert model.group("acme", "WEB-1")["resolution"]["actor"] == {"name": "New", "email": "ann@example.com"}


def test_duplicates_and_dead_events() -> None:
    model = ReferenceModel()
    dead = ReleaseCreated(
        id="1", source="/ci", organization="acme", version="1.0", projects=["web"], refs=[RefData("acme/web", "a")]
    )
    outcomes = apply_all(model, dead, push(2, commit("a")), dead, dead)
    assert [outcome.kind for outcome in outcomes] == ["dead", "applied", "applied", "duplicate"]
    assert (outcomes[0].reason, outcomes[0].paths) == ("invalid-repository", ("$.data.refs[0].repository",))


def test_a_dead_event_leaves_not_even_its_organization() -> None:
    model = ReferenceModel()
    before = model.state()
    apply_all(
        model,
        ReleaseCreated(
            id="1", source="/", organization="acme", version="1", projects=["web"], refs=[RefData("r", "a")]
        ),
    )
    assert model.state() == before


def test_a_late_group_follows_the_order_in_which_logs_last_changed() -> None:
    fix = commit("a", "Fixes WEB-1")
    model = ReferenceModel()
    apply_all(model, push(1, fix, version="1.0"), push(2, fix, version="2.0"), push(3, fix, version="1.0"), group(4))
    assert model.group("acme", "WEB-1")["resolution"]["release"] == "2.0"
    model = ReferenceModel()
    again = push(3, fix, commit("b"), version="1.0")
    apply_all(model, push(1, fix, version="1.0"), push(2, fix, version="2.0"), again, group(4))
    assert model.group("acme", "WEB-1")["resolution"]["release"] == "1.0"


def test_logs_set_at_the_same_time_follow_the_order_of_creation() -> None:
    fix = commit("a", "Fixes WEB-1")
    model = ReferenceModel()
    events = (push(1, version="2.0"), push(2, fix, version="1.0"), push(3, fix, version="2.0"), group(4))
    for event in events:
        model.apply(event, DAWN)
    assert model.group("acme", "WEB-1")["resolution"]["release"] == "1.0"


def test_links_of_a_late_group_follow_the_order_of_storing() -> None:
    model = ReferenceModel()
    second = CommitData("b", "acme/web", "Fixes WEB-1", "Bob", "bob@example.com")
    first = CommitData("a", "acme/web", "Fixes WEB-1", "Ann", "ann@example.com")
    pull = PullRequestMerged(
        id="0", source="/", organization="acme", repository="r", number="7", merge_commit_sha="x", title="Fix WEB-1"
    )
    apply_all(model, pull, push(1, second, version="0.9"), push(2, second, first), group(3))
    assert model.group("acme", "WEB-1")["resolution"]["actor"] == {"name": "Ann", "email": "ann@example.com"}
    assert model.group("acme", "WEB-1")["links"] == [
        {"type": "commit", "id": "a", "relationship": "resolves"},
        {"type": "commit", "id": "b", "relationship": "resolves"},
        {"type": "pull_request", "id": "7", "relationship": "resolves"},
    ]


def test_a_link_that_is_regained_in_the_same_event_upholds_the_resolution() -> None:
    fix_a, fix_b = commit("a", "Fixes WEB-1"), commit("b", "Fixes WEB-1")
    model = ReferenceModel()
    apply_all(model, group(1), push(2, fix_a, fix_b), push(3, fix_a, commit("b", "no")))
    apply_all(model, push(4, commit("a", "no"), fix_b))
    assert model.group("acme", "WEB-1")["status"] == "resolved"


def test_the_last_lost_link_is_named_when_a_group_is_re_opened() -> None:
    model = ReferenceModel()
    apply_all(
        model,
        group(1),
        push(2, commit("a", "Fixes WEB-1"), commit("b", "Fixes WEB-1")),
        push(3, commit("a", "no"), commit("b", "no")),
    )
    assert model.activities[-1].type == "activity.group.unresolved"
    assert model.activities[-1].data["commit"] == {"repository": "acme/web", "id": "b"}


def test_a_change_of_the_actor_alone_is_not_announced() -> None:
    model = ReferenceModel()
    apply_all(
        model,
        group(1),
        push(2, commit("a", "Fixes WEB-1")),
        push(3, CommitData("b", "acme/web", "Fixes WEB-1", "Bob", "bob@example.com"), commit("a")),
    )
    assert types(model).count("group.resolved") == 1
    assert model.group("acme", "WEB-1")["resolution"]["actor"] == {"name": "Bob", "email": "bob@example.com"}


def test_re_opening_by_hand_clears_all_of_the_resolution() -> None:
    model = ReferenceModel()
    dana = Actor("Dana", None)
    apply_all(model, group(1), push(2, commit("a", "Fixes WEB-1")), group(3, status="unresolved", actor=dana))
    state = model.state()["organizations"]["acme"]["groups"]["WEB-1"]
    assert (state["status"], state["resolution"], state["resolvedAt"]) == ("unresolved", None, False)
    assert state["resolvedBy"] == [["1.0", "commit", "acme/web", "a"]]
    assert model.activities[-1].data["actor"] == {"name": "Dana", "email": None}


def test_a_deleted_release_leaves_what_it_was_made_of_and_resolves_again() -> None:
    model = ReferenceModel()
    fix = CommitData("a", "acme/web", "Fixes WEB-1", "Ann", "ann@example.com")
    apply_all(model, group(1), push(2, fix), ReleaseDeployed(**ENVELOPE, id="3", environment="production"))
    apply_all(model, ReleaseDeleted(**ENVELOPE, id="4"))
    acme = model.state()["organizations"]["acme"]
    assert (acme["releases"], acme["environments"], acme["repositories"]) == ({}, ["production"], ["acme/web"])
    assert [entry["id"] for entry in acme["commits"]] == ["a"]
    web_1 = acme["groups"]["WEB-1"]
    assert (web_1["status"], web_1["resolvedAt"], web_1["resolution"], web_1["resolvedBy"]) == (
        "resolved",
        True,
        None,
        [],
    )
    apply_all(model, push(5, fix))
    assert types(model)[-4:] == ["release.deleted", "release.created", "release.commits-set", "group.resolved"]
    assert model.release("acme", "1.0")["deploys"] == []


def test_a_release_that_is_created_anew_is_younger_than_all_others() -> None:
    model = ReferenceModel()
    apply_all(model, push(1), push(2, version="2.0"), ReleaseDeleted(**ENVELOPE, id="3"), push(4))
    apply_all(model, group(5, resolution=ResolutionData("in_next_release", "2.0")))
    assert model.group("acme", "WEB-1")["resolution"] == {
        "release": "1.0",
        "type": "in_release",
        "status": "resolved",
        "actor": None,
    }


def test_deploys_come_last_finished_first_and_of_equals_last_told_first() -> None:
    model = ReferenceModel()
    late, early = DAWN + timedelta(hours=1), DAWN - timedelta(days=1)
    deploys = [("a", early), ("b", late), ("c", early), ("d", None), ("a", early)]
    apply_all(
        model,
        push(1),
        *(
            ReleaseDeployed(**ENVELOPE, id=f"deploy-{number}", environment="e", name=name, date_finished=finished)
            for number, (name, finished) in enumerate(deploys)
        ),
    )
    assert [deploy["name"] for deploy in model.release("acme", "1.0")["deploys"]] == ["b", "d", "c", "a"]
    assert types(model).count("release.deployed") == 4


def test_what_was_set_is_remembered_of_an_organization() -> None:
    model = ReferenceModel()

    def say(number: int, **fields: Any) -> dict[str, str]:
        known = len(model.activities)
        apply_all(model, OrganizationUpdated(id=str(number), source="/", organization="acme", **fields))
        return {name: text for told in model.activities[known:] for name, text in told.data["changes"].items()}

    assert say(1, options={"projectRateLimit": 100, "sensitiveFields": ["pin"], "relayPiiConfig": None}) == {
        "sensitiveFields": "to ['pin']"
    }
    assert say(2, options={"projectRateLimit": 50, "sensitiveFields": [], "relayPiiConfig": "{}"}) == {
        "projectRateLimit": "from 100 to 50",
        "sensitiveFields": "from ['pin'] to []",
        "relayPiiConfig": "from None to {}",
    }
    assert say(3, flags={"openMembership": True, "allowSharedIssues": False}) == {"allowSharedIssues": "to False"}
    assert say(4, name="Acme", default_role="member") == {"name": "to Acme"}
    assert say(5, name="Acme Inc.", default_role="owner") == {
        "name": "from Acme to Acme Inc.",
        "defaultRole": "from member to owner",
    }
    assert say(6, avatar=b"1", color="#ffffff") == {
        "avatar": "to <ident>",
        "avatarType": "from letter_avatar to upload",
        "color": "to #ffffff",
    }
    assert say(7, avatar=b"1", avatar_type="letter_avatar") == {"avatarType": "from upload to letter_avatar"}
    assert say(8, avatar=b"2", avatar_type="letter_avatar") == {"avatar": "from <ident> to <ident>"}
    assert say(9, avatar_type="upload") == {"avatarType": "from letter_avatar to upload"}
    assert model.activities[0].key == "acme"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (f"to {'a' * 32}", "to <ident>"),
        (f"from {'a' * 32} to {'b' * 32}", "from <ident> to <ident>"),
        (f"from {'a' * 32} to {'a' * 32}", f"from {'a' * 32} to {'a' * 32}"),
    ],
)
def test_idents_are_left_out_where_they_differ(change: str, told: str) -> None:
    assert without_idents(change) == told


def test_histories_are_functions_of_their_seed_within_bounds() -> None:
    lengths = [len(history(seed)) for seed in SEEDS]
    assert min(lengths) >= SHORTEST
    assert max(lengths) <= LONGEST
    assert history(7) == history(7) != history(8)


def test_histories_reach_every_activity_and_outcome() -> None:
    activities: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    reasons = set()
    for seed in SEEDS:
        model = ReferenceModel()
        found = apply_all(model, *history(seed))
        outcomes.update(outcome.kind for outcome in found)
        reasons |= {outcome.reason for outcome in found if outcome.reason}
        activities.update(types(model))
    assert set(outcomes) == {"applied", "duplicate", "dead"}
    assert set(activities) == {
        "release.created",
        "release.released",
        "release.updated",
        "release.commits-set",
        "release.deployed",
        "release.deleted",
        "group.resolved",
        "group.unresolved",
        "group.reviewed",
        "group.status-sync-requested",
        "organization.updated",
    }
    assert reasons == {"invalid-repository", "unknown-release", "invalid-project", "release-in-use", "rule"}


def test_histories_delete_create_anew_and_settle() -> None:
    created_anew = settled = 0
    for seed in SEEDS:
        model = ReferenceModel()
        apply_all(model, *history(seed))
        deleted = set()
        for activity in model.activities:
            if activity.type == "activity.release.deleted":
                deleted.add(activity.key)
            elif activity.type == "activity.release.created" and activity.data["created"] and activity.key in deleted:
                created_anew += 1
            elif activity.type == "activity.group.resolved" and activity.data["type"] == "in_release":
                settled += not activity.data.keys() & {"commit", "pullRequest"}
    assert created_anew > len(SEEDS) / 2
    assert settled > len(SEEDS) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_sending_a_history_again_changes_and_announces_nothing(seed: int) -> None:
    model = ReferenceModel()
    events = history(seed)
    applied = [
        event for event, outcome in zip(events, apply_all(model, *events), strict=True) if outcome.kind != "dead"
    ]
    before = model.state()
    assert set(apply_all(model, *applied)) == {DUPLICATE}
    assert model.state() == before


@pytest.mark.parametrize("seed", SEEDS)
def test_activities_of_one_event_and_key_come_in_their_order(seed: int) -> None:
    model = ReferenceModel()
    order = [
        "release.created",
        "release.released",
        "release.updated",
        "release.commits-set",
        "release.deployed",
        "release.deleted",
    ]
    for event in history(seed):
        known = len(model.activities)
        model.apply(event, DAWN)
        news = [kind for kind in types(model)[known:] if kind.startswith("release.")]
        assert is_subsequence(list(dict.fromkeys(news)), order)
        assert sorted(news, key=order.index) == news


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_materialised_agrees_with_the_log(seed: int) -> None:
    model = ReferenceModel()
    apply_all(model, *history(seed))
    for organization in model.state()["organizations"].values():
        for release in organization["releases"].values():
            commits = release["commits"]
            authors = [entry["author"] for entry in commits if entry["author"]]
            assert release["commitCount"] == len(commits)
            assert release["lastCommit"] == (commits[0]["id"] if commits else None)
            assert release["authors"] == [
                author for index, author in enumerate(authors) if author not in authors[:index]
            ]
            assert len({(entry["repository"], entry["id"]) for entry in commits}) == len(commits)
        for group_state in organization["groups"].values():
            assert group_state["resolvedAt"] == (group_state["status"] == "resolved")
            assert group_state["status"] == "resolved" or group_state["resolution"] is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("plain", [True, False], ids=["plain", "in any spelling"])
def test_documents_decode_to_the_same_event(seed: int, *, plain: bool) -> None:
    spelling = None if plain else Random(seed)
    for event in history(seed):
        value = json.dumps(as_cloudevent(event, spelling)).encode()
        assert decode(value, None, max_bytes=MEGABYTE) == event
