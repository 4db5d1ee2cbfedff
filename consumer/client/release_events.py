"""The events about one version key, made from typed arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.client.making import Maker, Result, commit_json, given, instant, items, listed, ref_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consumer.contracts.events import CommitData, RefData, ReleaseStatus, Replace


class ReleaseEvents(Maker[Result]):
    """A method per release event (SEMANTICS section 2).

    All take keyword arguments only; what is ``None`` or not given is left out of the event. Common to all:

    * ``organization``: its slug; ``version``: name of the release, verbatim.
    * ``event_id``: id of the event. Without one the id follows from the content, so that a retry, or a second run of
      the same build, sends the same event and nothing changes.
    * ``time``: when it happened; where missing, now, which is no part of such an id. The same content that is meant as
      another event (deployed again, opened again) needs a ``time`` or an ``event_id`` of its own.
    """

    def release_created(
        self,
        *,
        organization: str,
        version: str,
        projects: Sequence[str],
        ref: str | None = None,
        url: str | None = None,
        date_released: datetime | None = None,
        date_started: datetime | None = None,
        owner: str | None = None,
        status: ReleaseStatus | None = None,
        commits: Sequence[CommitData] = (),
        refs: Sequence[RefData] = (),
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """A release exists: it is created, or found, and attached to projects.

        Args:
            organization: see the class.
            version: see the class.
            projects: slugs of its projects, at least one.
            ref: commit, tag or branch it was built from.
            url: page about it.
            date_released: when it went out.
            date_started: when its making began.
            owner: e-mail address of its owner.
            status: ``open`` or ``archived``.
            commits: its commits; none leaves the commit log alone.
            refs: head commits by repository.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.release_created(organization="acme", version="web@1.4.0", projects=["web"])  # doctest: +SKIP
        """
        data = given(
            organization=organization,
            version=version,
            projects=listed(projects),
            ref=ref,
            url=url,
            dateReleased=instant(date_released),
            dateStarted=instant(date_started),
            owner=owner,
            status=status,
            commits=items([commit_json(commit) for commit in commits]),
            refs=items([ref_json(one) for one in refs]),
        )
        return self._make("release-created", data, event_id, time)

    def commits_pushed(
        self,
        *,
        organization: str,
        version: str,
        commits: Sequence[CommitData],
        projects: Sequence[str] = (),
        refs: Sequence[RefData] = (),
        replace: Replace | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """The commits of a release are these: they replace its commit log, and resolve what they fix.

        Args:
            organization: see the class.
            version: see the class.
            commits: the commits, newest first; times in them order them anew. None clears the log.
            projects: slugs of projects to attach.
            refs: head commits by repository.
            replace: ``release``, the whole log (the default), or ``repositories``, only those of these commits.
            event_id: see the class.
            time: see the class.

        Example:
            >>> fix = CommitData("3f1c8e2", repository="example/web", message="Fixes WEB-12")  # doctest: +SKIP
            >>> publisher.commits_pushed(organization="acme", version="web@1.4.0", commits=[fix])  # doctest: +SKIP
        """
        data = given(
            organization=organization,
            version=version,
            commits=[commit_json(commit) for commit in commits],
            projects=items(projects),
            refs=items([ref_json(ref) for ref in refs]),
            replace=replace,
        )
        return self._make("commits-pushed", data, event_id, time)

    def release_updated(
        self,
        *,
        organization: str,
        version: str,
        ref: str | None = None,
        url: str | None = None,
        date_released: datetime | None = None,
        status: ReleaseStatus | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """What is known of a release changed; the first ``date_released`` means that it is out.

        Args:
            organization: see the class.
            version: see the class.
            ref: commit, tag or branch it was built from.
            url: page about it.
            date_released: when it went out.
            status: ``open`` or ``archived``.
            event_id: see the class.
            time: see the class.

        Example:
            >>> now = datetime.now(UTC)  # doctest: +SKIP
            >>> publisher.release_updated(organization="acme", version="1.0", date_released=now)  # doctest: +SKIP
        """
        data = given(
            organization=organization,
            version=version,
            ref=ref,
            url=url,
            dateReleased=instant(date_released),
            status=status,
        )
        return self._make("release-updated", data, event_id, time)

    def release_deployed(
        self,
        *,
        organization: str,
        version: str,
        environment: str,
        projects: Sequence[str] | None = None,
        name: str | None = None,
        url: str | None = None,
        date_started: datetime | None = None,
        date_finished: datetime | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """A release was deployed.

        Args:
            organization: see the class.
            version: see the class.
            environment: name of the environment, such as ``production``.
            projects: slugs of the projects that were deployed, at least one; ``None``: all of the release.
            name: name of the deploy.
            url: page about the deploy.
            date_started: when it began.
            date_finished: when it ended; tells one deploy of the same release from the next.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.release_deployed(  # doctest: +SKIP
            ...     organization="acme", version="1.0", environment="production", date_finished=datetime.now(UTC)
            ... )
        """
        data = given(
            organization=organization,
            version=version,
            environment=environment,
            projects=None if projects is None else listed(projects),
            name=name,
            url=url,
            dateStarted=instant(date_started),
            dateFinished=instant(date_finished),
        )
        return self._make("release-deployed", data, event_id, time)

    def release_deleted(
        self, *, organization: str, version: str, event_id: str | None = None, time: datetime | None = None
    ) -> Result:
        """A release is to go; refused while it is the first release of a group.

        Args:
            organization: see the class.
            version: see the class.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.release_deleted(organization="acme", version="1.0")  # doctest: +SKIP
        """
        data = given(organization=organization, version=version)
        return self._make("release-deleted", data, event_id, time)
