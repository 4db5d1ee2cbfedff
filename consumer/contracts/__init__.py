"""The contract of the events that come in: schemas, validation, decoding, and the typed events."""

from consumer.contracts.decoding import Description, decode, describe
from consumer.contracts.events import (
    ABSENT,
    Absent,
    Actor,
    AnyEvent,
    CommitData,
    CommitsPushed,
    Event,
    ExternalIssueData,
    GroupUpdated,
    ProjectUpdated,
    PullRequestMerged,
    RefData,
    ReleaseCreated,
    ReleaseEvent,
    ResolutionData,
)
from consumer.contracts.validation import is_version, validate

__all__ = [
    "ABSENT",
    "Absent",
    "Actor",
    "AnyEvent",
    "CommitData",
    "CommitsPushed",
    "Description",
    "Event",
    "ExternalIssueData",
    "GroupUpdated",
    "ProjectUpdated",
    "PullRequestMerged",
    "RefData",
    "ReleaseCreated",
    "ReleaseEvent",
    "ResolutionData",
    "decode",
    "describe",
    "is_version",
    "validate",
]
