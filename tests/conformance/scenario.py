"""The form of a scenario: a sentence, what was there, what happens, and what is to be seen of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.builders import ACME, FALLBACK_REPOSITORY
from tests.conformance.matching import differences, renamed
from tests.model.organizations import without_idents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from consumer.contracts.events import AnyEvent
    from tests.conformance.system import System

Json = dict[str, Any]

_SUBJECTS: dict[str, Json] = {"release": {"version": "1.0"}, "group": {"shortId": "WEB-1"}, "organization": {}}


@dataclass(frozen=True, slots=True)
class Announced:
    """An activity that must go out, by its type and parts of its data."""

    type: str
    data: Json

    @property
    def key(self) -> str:
        """The record key that it is announced under."""
        return _activity_key(self.data)


def announced(activity_type: str, **data: Any) -> Announced:
    """Expect ``activity.<activity_type>`` of organization acme with these parts of its data."""
    subject: Json = _SUBJECTS[activity_type.partition(".")[0]]
    return Announced(f"activity.{activity_type}", {"organization": ACME} | subject | data)


@dataclass(frozen=True, slots=True)
class Dead:
    """A dead letter that must be there: the event, why, and where; ``reason`` ``None`` = any."""

    event: AnyEvent
    reason: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Given some events, when others come, then releases, groups, activities and dead letters are these.

    Args:
        title: the rule as a sentence.
        section: where SEMANTICS states it.
        given: events that are applied first; what they announce is not looked at.
        when: events whose effect is looked at.
        releases: parts of the JSON of releases by version; ``None`` = there is no such release.
        groups: parts of the JSON of groups by short id; ``None`` = there is no such group.
        announces: all that ``when`` announces, those of one record key in their order; ``None`` = not looked at.
        dead: all dead letters.
    """

    title: str
    section: str
    given: Sequence[AnyEvent] = ()
    when: Sequence[AnyEvent]
    releases: Mapping[str, Json | None] = field(default_factory=dict)
    groups: Mapping[str, Json | None] = field(default_factory=dict)
    announces: Sequence[Announced] | None = None
    dead: Sequence[Dead] = ()

    def play(self, system: System) -> None:
        """Run the scenario and fail with every difference."""
        _apply(system, self.given)
        earlier = {activity["id"] for activity in system.activities()}
        _apply(system, self.when)
        news = [activity for activity in system.activities() if activity["id"] not in earlier]
        found = [
            *self._differences_of_releases(system),
            *self._differences_of_groups(system),
            *self._differences_of_activities([_without_ident(item) for item in _plain(system, news)]),
            *self._differences_of_dead_letters(system.dead_letters()),
        ]
        if found:
            pytest.fail("\n".join([f"SEMANTICS {self.section}: {self.title}", *found]), pytrace=False)

    def _differences_of_releases(self, system: System) -> Iterable[str]:
        for version, expected in self.releases.items():
            actual = _plain(system, system.release(ACME, version))
            yield from differences(expected, actual, f"release {version}")

    def _differences_of_groups(self, system: System) -> Iterable[str]:
        for short_id, expected in self.groups.items():
            actual = _plain(system, system.group(ACME, short_id))
            yield from differences(expected, actual, f"group {short_id}")

    def _differences_of_activities(self, news: list[Json]) -> Iterable[str]:
        if self.announces is None:
            return
        expected: dict[str, list[Json]] = {}
        for activity in self.announces:
            expected.setdefault(activity.key, []).append({"type": activity.type, "data": activity.data})
        actual: dict[str, list[Json]] = {}
        for item in news:
            actual.setdefault(_activity_key(item["data"]), []).append({"type": item["type"], "data": item["data"]})
        for key in sorted({*expected, *actual}):
            yield from differences(expected.get(key, []), actual.get(key, []), f"activities of {key}")

    def _differences_of_dead_letters(self, letters: list[Json]) -> Iterable[str]:
        expected = {dead.event.id: (dead.reason, set(dead.paths)) for dead in self.dead}
        actual = {
            letter["id"]: (letter["reason"], {violation["path"] for violation in letter["violations"]})
            for letter in letters
        }
        return differences(expected, actual, "dead letters") + [
            f"dead letters: unexpected {letters}" for event_id in actual if event_id not in expected
        ]


def scenarios(*rules: Scenario) -> pytest.MarkDecorator:
    """Run a test once per scenario, each under its sentence."""
    return pytest.mark.parametrize("scenario", [pytest.param(rule, id=rule.title) for rule in rules])


def _apply(system: System, events: Sequence[AnyEvent]) -> None:
    """Apply events one record key after the other: only the order within a record key is kept by topics."""
    for _, together in groupby(events, key=lambda event: event.key):
        system.publish(*together)
        system.process()


def _plain(system: System, value: Any) -> Any:
    """Show the organization's fallback repository under a name that holds no id."""
    return renamed(value, system.fallback_repository(ACME), FALLBACK_REPOSITORY)


def _without_ident(activity: Json) -> Json:
    """Show a change of avatar without idents, which are made up by chance."""
    changes = activity["data"].get("changes", {})
    if "avatar" not in changes:
        return activity
    changes = changes | {"avatar": without_idents(changes["avatar"])}
    return activity | {"data": activity["data"] | {"changes": changes}}


def _activity_key(data: Json) -> str:
    subject = data.get("shortId", data.get("version"))
    return f"{data['organization']}:{subject}" if subject else str(data["organization"])
