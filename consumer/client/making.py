"""How the typed methods make CloudEvents: attributes, the id that follows from the content, what is typed as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

from consumer.contracts.timestamps import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.contracts.events import Actor, CommitData, ExternalIssueData, RefData

Document = dict[str, Any]
"""A CloudEvent in structured form, as ``json.loads`` returns it."""

Result = TypeVar("Result")


class Maker(ABC, Generic[Result]):
    """Makes CloudEvents of one source.

    Args:
        source: who publishes, a URI reference such as ``ci:example/web``. Together with its id it names an event.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    @abstractmethod
    def _take(self, document: Document) -> Result:
        """What becomes of an event that was made."""

    def _make(self, type_: str, data: Document, event_id: str | None, time: datetime | None) -> Result:
        document = {
            "specversion": "1.0",
            "id": event_id or content_id(self._source, type_, data, time),
            "source": self._source,
            "type": type_,
            **given(time=instant(time)),
            "data": data,
        }
        return self._take(document)


def content_id(source: str, type_: str, data: Document, time: datetime | None = None) -> str:
    """The id of an event that follows from what it says: said again, it is the same event (a UUIDv5).

    Args:
        source: who publishes.
        type_: type of the event.
        data: what it says.
        time: when it happened; the same at another time is another event. ``None``: at no special time.
    """
    said = [source, type_, data, *([] if time is None else [instant(time)])]
    return str(uuid5(NAMESPACE_URL, json.dumps(said, sort_keys=True, separators=(",", ":"), default=repr)))


def given(**fields: Any) -> Document:
    """The fields that are given: not ``None``."""
    return {name: value for name, value in fields.items() if value is not None}


def instant(value: datetime | None) -> str | None:
    """A date and time as events write it; a naive one is in UTC, as everywhere in events."""
    if value is None:
        return None
    return format_timestamp(value.replace(tzinfo=UTC) if value.tzinfo is None else value)


def items(values: Sequence[Any] | None) -> list[Any] | None:
    """A list as JSON has it; ``None`` where it is empty or not given."""
    return listed(values) if values else None


def listed(values: Sequence[Any]) -> list[Any]:
    """A list as JSON has it.

    Raises:
        TypeError: it is a text, which for Python is a list of characters.
    """
    if isinstance(values, str):
        msg = f"must be a list, such as [{values!r}], got the text {values!r}"
        raise TypeError(msg)
    return list(values)


def commit_json(commit: CommitData) -> Document:
    """A commit as events list it."""
    return given(
        id=commit.id,
        repository=commit.repository,
        message=commit.message,
        author_name=commit.author_name,
        author_email=commit.author_email,
        timestamp=instant(commit.timestamp),
        patch_set=items([{"path": path, "type": type_} for path, type_ in commit.patch_set]),
    )


def ref_json(ref: RefData) -> Document:
    """A ref as events list it."""
    return given(repository=ref.repository, commit=ref.commit, previousCommit=ref.previous_commit)


def actor_json(actor: Actor | None) -> Document | None:
    """A person as events name one."""
    return None if actor is None else given(name=actor.name, email=actor.email)


def issue_json(issue: ExternalIssueData) -> Document:
    """An issue of another tracker as events name it."""
    return given(provider=issue.provider, key=issue.key, url=issue.url)
