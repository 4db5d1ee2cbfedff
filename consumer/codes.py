"""The catalogue of codes: Sentry's numbers for what the tables keep as small integers.

Names in lower case (``label``) are what events and commands use.
"""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """A number with a name that events and commands use."""

    @property
    def label(self) -> str:
        """The name in lower case, such as ``in_release``."""
        return self.name.lower()


class ReleaseStatus(Code):
    OPEN = 0
    ARCHIVED = 1


class GroupStatus(Code):
    UNRESOLVED = 0
    RESOLVED = 1
    IGNORED = 2


class InboxReason(Code):
    NEW = 0
    REGRESSION = 2
    MANUAL = 3
    REPROCESSED = 4
    ESCALATING = 5
    ONGOING = 6


class LinkedType(Code):
    COMMIT = 1
    PULL_REQUEST = 2
    ISSUE = 3


class Relationship(Code):
    RESOLVES = 1
    REFERENCES = 2


class ResolutionType(Code):
    IN_RELEASE = 0
    IN_NEXT_RELEASE = 1
    IN_UPCOMING_RELEASE = 2


class ResolutionStatus(Code):
    PENDING = 0
    RESOLVED = 1


class HistoryStatus(Code):
    UNRESOLVED = 0
    RESOLVED = 1
    IGNORED = 3
    REVIEWED = 10
    SET_RESOLVED_IN_RELEASE = 11


class ActivityType(Code):
    """Sentry's Activity types, given downstream as ``data.activityType``."""

    SET_RESOLVED = 1
    SET_UNRESOLVED = 2
    RELEASE = 10
    SET_RESOLVED_IN_RELEASE = 13
    DEPLOY = 17
    MARK_REVIEWED = 23
