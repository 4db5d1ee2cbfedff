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
    """Whether a release is hidden from listings."""

    OPEN = 0
    ARCHIVED = 1


class GroupStatus(Code):
    """Whether a group still needs work."""

    UNRESOLVED = 0
    RESOLVED = 1
    IGNORED = 2


class InboxReason(Code):
    """Why a group waits for a person's look; 1 is Sentry's deprecated ``unignored``."""

    NEW = 0
    REGRESSION = 2
    MANUAL = 3
    REPROCESSED = 4
    ESCALATING = 5
    ONGOING = 6


class LinkedType(Code):
    """What a group is linked to."""

    COMMIT = 1
    PULL_REQUEST = 2
    ISSUE = 3


class Relationship(Code):
    """What a link says: the other side resolves the group, or only mentions it."""

    RESOLVES = 1
    REFERENCES = 2


class ResolutionType(Code):
    """Which release a group is resolved in, seen from when that was said."""

    IN_RELEASE = 0
    IN_NEXT_RELEASE = 1
    IN_UPCOMING_RELEASE = 2


class ResolutionStatus(Code):
    """Whether the release of a resolution is known to hold the fix."""

    PENDING = 0
    RESOLVED = 1


class HistoryStatus(Code):
    """What a line of a group's history says."""

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


class DeadLetterStatus(Code):
    """What has become of a dead letter."""

    DEAD = 0
    REPLAYING = 1
    REPLAYED = 2
    DISCARDED = 3
