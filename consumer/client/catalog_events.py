"""The events about organizations, projects, groups and pull requests, made from typed arguments."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, TypedDict

from consumer.client.making import Maker, Result, actor_json, given, issue_json
from consumer.contracts.events import ABSENT, Absent, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from consumer.contracts.events import (
        Actor,
        AvatarType,
        ExternalIssueData,
        GroupStatus,
        InboxReason,
        ResolutionData,
    )


class _TrustedRelay(TypedDict):
    name: str
    publicKey: str


class TrustedRelay(_TrustedRelay, total=False):
    """A relay whose events an organization trusts."""

    description: str | None


class OrganizationOptions(TypedDict, total=False):
    """The options of an organization by API field name; ranges and defaults are in ``organization_options``."""

    projectRateLimit: int
    accountRateLimit: int
    dataScrubber: bool
    sensitiveFields: list[str]
    safeFields: list[str]
    scrapeJavaScript: bool
    dataScrubberDefaults: bool
    storeCrashReports: int
    attachmentsRole: Role
    debugFilesRole: Role
    eventsMemberAdmin: bool
    alertsMemberWrite: bool
    scrubIPAddresses: bool
    relayPiiConfig: str | None
    allowJoinRequests: bool
    apdexThreshold: int
    aiSuggestedSolution: bool
    githubPRBot: bool
    githubOpenPRBot: bool
    githubNudgeInvite: bool
    aggregatedDataConsent: bool
    genAIConsent: bool
    issueAlertsThreadFlag: bool
    metricAlertsThreadFlag: bool
    metricsActivatePercentiles: bool
    metricsActivateLastForGauges: bool
    extrapolateMetrics: bool
    uptimeAutodetection: bool
    trustedRelays: list[TrustedRelay]


class OrganizationFlags(TypedDict, total=False):
    """The flags of an organization by API field name."""

    openMembership: bool
    enhancedPrivacy: bool
    allowSharedIssues: bool
    isEarlyAdopter: bool
    require2FA: bool
    requireEmailVerification: bool
    codecovAccess: bool
    allowMemberProjectCreation: bool
    allowSuperuserAccess: bool
    allowMemberInvite: bool


class CatalogEvents(Maker[Result]):
    """A method per catalog event (SEMANTICS section 2).

    All take keyword arguments only; what is ``None`` or not given is left out of the event. Common to all:

    * ``organization``: its slug.
    * ``event_id``: id of the event. Without one the id follows from the content, so that a retry sends the same event
      and nothing changes.
    * ``time``: when it happened; where missing, now, which is no part of such an id. The same content that is meant as
      another event (a group resolved again) needs a ``time`` or an ``event_id`` of its own.
    """

    def organization_updated(
        self,
        *,
        organization: str,
        name: str | None = None,
        default_role: Role | None = None,
        options: OrganizationOptions | None = None,
        flags: OrganizationFlags | None = None,
        avatar_type: AvatarType | None = None,
        avatar: bytes | None = None,
        color: str | None = None,
        actor: Actor | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """Details of an organization changed; what is not given stays as it is.

        Args:
            organization: see the class.
            name: its name.
            default_role: role of new members.
            options: options by API field name.
            flags: flags by API field name.
            avatar_type: whether its picture is its letters, or one that was uploaded.
            avatar: a picture: GIF, JPEG or PNG, square, sides of 256 to 1024 pixels, at most 5,000,000 bytes.
            color: colour of a letter avatar, such as ``#4674ca``.
            actor: who changed it.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.organization_updated(  # doctest: +SKIP
            ...     organization="acme", options={"dataScrubber": True}, avatar=Path("logo.png").read_bytes()
            ... )
        """
        data = {
            **given(
                organization=organization,
                name=name,
                defaultRole=default_role,
                avatarType=avatar_type,
                avatar=None if avatar is None else b64encode(avatar).decode(),
                color=color,
                actor=actor_json(actor),
            ),
            **(options or {}),
            **(flags or {}),
        }
        return self._make("organization-updated", data, event_id, time)

    def project_updated(
        self,
        *,
        organization: str,
        project: str,
        name: str | None = None,
        platform: str | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """A project was created or renamed.

        Args:
            organization: see the class.
            project: its slug.
            name: its name.
            platform: its platform, such as ``python``.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.project_updated(organization="acme", project="web", name="Web")  # doctest: +SKIP
        """
        data = given(organization=organization, project=project, name=name, platform=platform)
        return self._make("project-updated", data, event_id, time)

    def group_updated(
        self,
        *,
        organization: str,
        project: str,
        short_id: str,
        title: str | None = None,
        status: GroupStatus | None = None,
        inbox: InboxReason | Absent | None = ABSENT,
        first_release: str | None = None,
        resolution: ResolutionData | None = None,
        external_issues: Sequence[ExternalIssueData] | None = None,
        actor: Actor | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """A group was created or changed; what is not given stays as it is.

        Args:
            organization: see the class.
            project: slug of its project.
            short_id: its short id, such as ``WEB-12``.
            title: its title.
            status: ``unresolved``, ``resolved`` or ``ignored``.
            inbox: why it waits for a look; ``None``: it was reviewed; ``ABSENT``: unchanged.
            first_release: version of the release it was first seen in.
            resolution: the release it is resolved in.
            external_issues: all issues of other trackers it is linked to; an empty list unlinks them.
            actor: who changed it.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.group_updated(  # doctest: +SKIP
            ...     organization="acme", project="web", short_id="WEB-12", inbox="new", title="Checkout fails"
            ... )
        """
        data = {
            **given(
                organization=organization,
                project=project,
                shortId=short_id,
                title=title,
                status=status,
                firstRelease=first_release,
                resolution=resolution and {"type": resolution.type, "release": resolution.release},
                externalIssues=None if external_issues is None else [issue_json(issue) for issue in external_issues],
                actor=actor_json(actor),
            ),
            **({} if isinstance(inbox, Absent) else {"inbox": inbox}),
        }
        return self._make("group-updated", data, event_id, time)

    def pull_request_merged(
        self,
        *,
        organization: str,
        repository: str,
        number: int | str,
        merge_commit_sha: str,
        title: str | None = None,
        message: str | None = None,
        author_name: str | None = None,
        author_email: str | None = None,
        event_id: str | None = None,
        time: datetime | None = None,
    ) -> Result:
        """A pull request was merged; it resolves what it fixes once its merge commit is in a release.

        Args:
            organization: see the class.
            repository: exact name of its repository.
            number: its number.
            merge_commit_sha: the commit it was merged as.
            title: its title.
            message: its description; ``Fixes WEB-12`` resolves that group.
            author_name: name of its author.
            author_email: e-mail address of its author.
            event_id: see the class.
            time: see the class.

        Example:
            >>> publisher.pull_request_merged(  # doctest: +SKIP
            ...     organization="acme", repository="example/web", number=482, merge_commit_sha="3f1c8e2"
            ... )
        """
        data = given(
            organization=organization,
            repository=repository,
            number=number,
            mergeCommitSha=merge_commit_sha,
            title=title,
            message=message,
            author_name=author_name,
            author_email=author_email,
        )
        return self._make("pull-request-merged", data, event_id, time)
