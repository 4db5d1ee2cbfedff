"""The product's tables as classes of SQLAlchemy's ORM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import DeclarativeBase

from consumer.store import tables


class Base(DeclarativeBase):
    """A row; its attributes are the columns of its table."""

    metadata = tables.metadata

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class Organization(Base):
    """An organization."""

    __table__ = tables.organization


class Project(Base):
    """A project of an organization."""

    __table__ = tables.project


class Release(Base):
    """A release."""

    __table__ = tables.release


class ReleaseProject(Base):
    """A project that a release belongs to."""

    __table__ = tables.release_project


class Repository(Base):
    """A repository of an organization."""

    __table__ = tables.repository


class CommitAuthor(Base):
    """An author of commits."""

    __table__ = tables.commit_author


class Commit(Base):
    """A commit of a repository."""

    __table__ = tables.commit


class CommitFileChange(Base):
    """A file that a commit changed."""

    __table__ = tables.commit_file_change


class ReleaseCommit(Base):
    """A commit's place in the log of a release."""

    __table__ = tables.release_commit


class ReleaseHeadCommit(Base):
    """The newest commit of a release in a repository."""

    __table__ = tables.release_head_commit


class PullRequest(Base):
    """A pull request."""

    __table__ = tables.pull_request


class Group(Base):
    """A group: an issue of a project."""

    __table__ = tables.issue_group


class GroupInbox(Base):
    """That a group waits in the inbox."""

    __table__ = tables.group_inbox


class GroupLink(Base):
    """A link of a group to a commit, a pull request or an external issue."""

    __table__ = tables.group_link


class GroupResolution(Base):
    """The release that a group is resolved in."""

    __table__ = tables.group_resolution


class GroupResolvedBy(Base):
    """What has resolved a group in a release."""

    __table__ = tables.group_resolved_by


class GroupHistory(Base):
    """A line of a group's history."""

    __table__ = tables.group_history


class MessageReference(Base):
    """A short id that a message names."""

    __table__ = tables.message_reference


class ExternalIssue(Base):
    """An issue of another tracker."""

    __table__ = tables.external_issue


class Activity(Base):
    """What happened, with the event that says so."""

    __table__ = tables.activity


class ProcessedEvent(Base):
    """The id of an event that took effect."""

    __table__ = tables.processed_event
