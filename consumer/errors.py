"""The catalogue of errors: every error class of the package, and how each is treated.

Three families decide what happens to the work at hand:

* ``EventError``: the event is at fault. It becomes a dead letter; its neighbours go on.
* ``MustWait``: the event is fine but cannot be applied yet. It is parked and tried again.
* ``WorldError``: a service is at fault. The same batch is tried again; no event is blamed.

``UsageError`` is for people: a command that cannot do what it was asked, with what, where and the remedy.
"""

from __future__ import annotations

from dataclasses import dataclass


class ReleaseConsumerError(Exception):
    """Base of every error this package raises on purpose; a command that fails with it ends with ``exit_code``."""

    exit_code = 1


class UsageError(ReleaseConsumerError):
    """A command cannot do what it was asked; the message says what, where and the remedy (exit code 1)."""


class SettingsError(UsageError):
    """A setting is missing, out of range, or contradicts another."""


class WrongSchema(UsageError):
    """The database has another schema than this version needs; the message names both revisions."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with an event.

    Args:
        path: JSON path of the offending value, such as ``$.data.commits[3].id``; ``$`` for the whole event.
        message: what is wrong with it, for a person.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class EventError(ReleaseConsumerError):
    """An event is at fault: it becomes a dead letter with this reason and these violations.

    Args:
        reason: a short, stable, kebab-case word that dead letters are filtered by, such as ``schema``.
        violations: every error found, each with its JSON path.
    """

    def __init__(self, reason: str, violations: list[Violation]) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.reason = reason
        self.violations = violations


class InvalidEvent(EventError):
    """The event does not parse, breaks its schema, or breaks a rule of SEMANTICS section 3."""


class InvalidRepository(EventError):
    """``refs`` name repositories that the organization does not have (SEMANTICS section 4)."""

    def __init__(self, names: list[str], violations: list[Violation]) -> None:
        super().__init__("invalid-repository", violations)
        self.names = names


class UnknownRelease(EventError):
    """The event is about a release that does not exist, and is not one that creates it."""

    def __init__(self, version: str) -> None:
        super().__init__("unknown-release", [Violation("$.data.version", f"there is no release {version!r}")])


class CannotBeApplied(EventError):
    """Nobody foresaw what is in the event: the database refuses it, or it fails in a way that is a bug.

    Args:
        message: what was said of it; what is beyond 500 characters is cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__("cannot-be-applied", [Violation("$", message[:500])])


class MustWait(ReleaseConsumerError):
    """The event cannot be applied yet; it is parked and tried again in the order of its version key.

    ``reason`` is that of the dead letter which it becomes after the last attempt.
    """

    reason = "waited-too-long"


class ReleaseCommitError(MustWait):
    """The commits of the release are being processed elsewhere: its Redis lock is held (SEMANTICS section 4)."""

    reason = "release-commit-error"


class WorldError(ReleaseConsumerError):
    """A service (Kafka, PostgreSQL, Redis) failed; the work is tried again, no event is blamed."""


class ServiceUnavailable(WorldError):
    """A service did not answer within the bound; the message says which, where, and what was tried."""


def first_line(error: BaseException) -> str:
    """What an error says, in one line for a log: databases add details on further lines."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class StaleSnapshot(WorldError):
    """Another transaction changed rows since they were read; the batch is redone at once."""


class NotAlone(WorldError):
    """The batch must have its organizations to itself; it is redone that way at once."""


class Fenced(ReleaseConsumerError):
    """Another worker owns the partition now, or ops moved its offset: this worker must let go and read again."""


class NoAvailableId(WorldError):
    """The snowflake layout has no id left in the window it may use (SEMANTICS section 9)."""


class MaxSnowflakeRetryError(WorldError):
    """Five snowflake ids in a row collided with existing rows (SEMANTICS section 9)."""


class Halted(ReleaseConsumerError):
    """Too many events in a row are dead letters: the worker stops before it puts away more."""

    exit_code = 4
