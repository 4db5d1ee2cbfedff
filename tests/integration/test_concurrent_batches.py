"""Two appliers on one database, at the same time: batches that share everything but version keys."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from consumer.contracts.events import CommitData, CommitsPushed, GroupUpdated, PullRequestMerged, ReleaseEvent
from tests.model.strategies import as_cloudevent, history
from tests.support.database_state import broken_invariants, read_state
from tests.support.direct import DirectApplier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.contracts.events import AnyEvent
    from consumer.services import Services
    from tests.support.database_state import Json

ROUNDS = int(os.environ.get("CONCURRENT_ROUNDS", "300"))
DAWN = datetime(2025, 1, 1, tzinfo=UTC)
COMMITS, GROUPS, VERSIONS = 40, 10, 5

Batches = list[list["AnyEvent"]]


@pytest.fixture
def appliers(services: Services, database_url: str) -> Iterator[list[DirectApplier]]:
    two = [DirectApplier(database_url, services.redis_url, partition=partition) for partition in range(2)]
    yield two
    for applier in two:
        applier.close()


def apply_side_by_side(appliers: Sequence[DirectApplier], batches: Sequence[Batches]) -> None:
    """Apply the n-th batches of all at the same time, one n after the other; what an applier raises is raised here."""
    barrier = Barrier(len(appliers))

    def apply(applier: DirectApplier, own: Batches) -> None:
        try:
            for batch in own:
                documents = [as_cloudevent(event) for event in batch]
                barrier.wait()
                applier.apply(documents)
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(len(appliers)) as threads:
        for running in [threads.submit(apply, *each) for each in zip(appliers, batches, strict=True)]:
            running.result()


def read(applier: DirectApplier) -> Json:
    """The state of organization acme, of a database in which nothing is dead or broken."""
    with applier.engine.connect() as connection:
        assert broken_invariants(connection) == {}
        refused = "reason NOT IN ('invalid-repository', 'unknown-release', 'invalid-project', 'release-in-use', 'rule')"
        assert connection.exec_driver_sql(f"SELECT * FROM dead_letter WHERE {refused}").all() == []  # noqa: S608
        state = read_state(connection, DAWN)
    acme: Json = state["organizations"]["acme"]
    return acme | {"activities": state["activities"]}


def push(name: str, version: str, *commits: CommitData) -> CommitsPushed:
    return CommitsPushed(
        id=name, source="/ci", organization="acme", version=version, projects=["web"], commits=list(commits)
    )


def group(name: str, short_id: str) -> GroupUpdated:
    return GroupUpdated(id=name, source="/tracker", organization="acme", project="web", short_id=short_id)


def pull_request(name: str, number: str, sha: str, title: str) -> PullRequestMerged:
    return PullRequestMerged(
        id=name,
        source="/tracker",
        organization="acme",
        repository="acme/web",
        number=number,
        merge_commit_sha=sha,
        title=title,
    )


def test_a_group_is_resolved_however_it_races_with_the_commit_that_fixes_it(
    appliers: list[DirectApplier], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "consumer.intake.applying")
    catalog: Batches = []
    releases: Batches = []
    for number in range(ROUNDS):
        short_id, sha, version = f"WEB-{number}", f"{number:040x}", f"1.{number}"
        fixes = f"Fixes {short_id}"
        if number % 2:
            catalog.append([group(f"group-{number}", short_id)])
            releases.append([push(f"push-{number}", version, CommitData(sha, "acme/web", fixes))])
        else:
            catalog.append(
                [group(f"group-{number}", short_id), pull_request(f"pull-{number}", str(number), sha, fixes)]
            )
            releases.append([push(f"push-{number}", version, CommitData(sha, "acme/web", "Merge"))])
    apply_side_by_side(appliers, [catalog, releases])
    state = read(appliers[0])
    resolved_in = {short_id: group["resolution"]["release"] for short_id, group in state["groups"].items()}
    assert resolved_in == {f"WEB-{number}": f"1.{number}" for number in range(ROUNDS)}
    told = [activity["key"] for activity in state["activities"] if activity["type"] == "activity.group.resolved"]
    assert sorted(told) == sorted(f"acme:WEB-{number}" for number in range(ROUNDS))
    assert "deadlock" not in caplog.text


def test_nothing_is_lost_between_batches_that_share_commits_authors_and_groups(
    appliers: list[DirectApplier], caplog: pytest.LogCaptureFixture
) -> None:
    """Every commit says the same wherever it is listed, so that the end does not depend on who came first."""
    caplog.set_level(logging.INFO, "consumer.intake.applying")
    random = Random(1)
    batches = [[some_events(random, who, round_) for round_ in range(ROUNDS // 6)] for who in ("first", "second")]
    apply_side_by_side(appliers, batches)
    state = read(appliers[0])
    pushes = [event for own in batches for batch in own for event in batch if isinstance(event, CommitsPushed)]
    logs = {version: [commit["id"] for commit in release["commits"]] for version, release in state["releases"].items()}
    assert logs == {
        pushed.version: [commit.id for commit in sorted(pushed.commits, key=newest_first)] for pushed in pushes
    }
    listed = {commit.id: commit for pushed in pushes for commit in pushed.commits}
    assert {commit["id"]: commit["message"] for commit in state["commits"]} == {
        id_: commit.message for id_, commit in listed.items()
    }
    paths: defaultdict[str, set[str]] = defaultdict(set)
    for pushed in pushes:
        for commit in pushed.commits:
            paths[commit.id].update(path for path, _ in commit.patch_set)
    assert {commit["id"]: {file["path"] for file in commit["patchSet"]} for commit in state["commits"]} == paths
    shipped = {(short_id, version, id_) for version, log in logs.items() for id_ in log for short_id in fixed_by(id_)}
    resolved_by = {
        (short_id, version, id_)
        for short_id, group in state["groups"].items()
        for version, _, _, id_ in group["resolvedBy"]
    }
    assert {by for by in shipped if by[0] in state["groups"]} <= resolved_by
    fixed = {short_id for short_id, _, _ in shipped}
    assert {short_id for short_id, group in state["groups"].items() if group["status"] == "resolved"} >= fixed & set(
        state["groups"]
    )
    assert "deadlock" not in caplog.text


def some_events(random: Random, who: str, round_: int) -> list[AnyEvent]:
    """Mostly pushes to versions of this applier alone, of commits that all share; now and then a new group."""
    names = (f"{who}-{round_}-{number}" for number in range(100))
    events: list[AnyEvent] = [
        push(
            next(names),
            f"{who}-{random.randrange(VERSIONS)}",
            *(some_commit(random, number) for number in random.sample(range(COMMITS), random.randint(1, 10))),
        )
        for _ in range(random.randint(1, 5))
    ]
    if random.random() < 1 / 3:
        events.append(group(next(names), f"WEB-{random.randrange(GROUPS)}"))
    return events


def some_commit(random: Random, number: int) -> CommitData:
    """A commit whose author may be called otherwise than last time."""
    return CommitData(
        f"{number:040x}",
        "acme/web",
        f"Fixes {', '.join(fixed_by(f'{number:040x}'))}",
        author_name=random.choice(["Ann", "Anna"]),
        author_email=f"ann{number % 7}@example.com",
        timestamp=DAWN - timedelta(hours=number),
        patch_set=[(f"{random.randrange(5)}.py", "M") for _ in range(2)],
    )


def fixed_by(commit_id: str) -> list[str]:
    number = int(commit_id, 16)
    return [f"WEB-{number % GROUPS}", f"WEB-{(number + 1) % GROUPS}"]


def newest_first(commit: CommitData) -> timedelta:
    return DAWN - (commit.timestamp or DAWN)


@pytest.mark.parametrize("seed", range(2))
def test_any_two_histories_leave_nothing_broken(appliers: list[DirectApplier], seed: int) -> None:
    """Commits that change, links that go, groups that move: all but version keys is shared."""
    batches = [some_batches(Random(f"{seed} {who}"), who) for who in range(len(appliers))]
    apply_side_by_side(appliers, batches)
    read(appliers[0])


def some_batches(random: Random, who: int) -> Batches:
    """Of catalog events or of release events alone: batches that have both would wait for each other."""
    events = [of_one_applier(event, who) for event in history(random.randrange(1_000_000), 2 * ROUNDS)]
    batches = []
    for kind in (True, False):
        rest = [event for event in events if isinstance(event, ReleaseEvent) is kind]
        while rest:
            size = random.randint(1, 20)
            batches.append(rest[:size])
            rest = rest[size:]
    random.shuffle(batches)
    return batches[: ROUNDS // 20]


def of_one_applier(event: AnyEvent, who: int) -> AnyEvent:
    """The event under an id, and about a version, that no other applier has."""
    event = replace(event, id=f"{who}-{event.id}")
    return replace(event, version=f"{event.version}-{who}") if isinstance(event, ReleaseEvent) else event
