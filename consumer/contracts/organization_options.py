"""The catalogue of an organization's options and flags: API field, key, type, range, default (SEMANTICS section 10).

The schema of ``organization-updated`` says the same to publishers; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["integer", "boolean", "strings", "role", "json", "relays"]

ROLES: Final = ("member", "admin", "manager", "owner")
"""Roles of an organization, the least first."""

DEFAULT_ROLE: Final = "member"
"""Role of a new member where the organization does not say otherwise."""

DEFAULT_FLAGS: Final = 1
"""The flags of a new organization: ``allow_joinleave`` alone."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of an organization.

    Args:
        field: its name in events.
        key: its name in the database.
        kind: type of its values: ``integer``, ``boolean``, ``strings`` (a list of texts), ``role`` (one of
            ``ROLES``), ``json`` (a text that is JSON, or ``None``), ``relays`` (the trusted relays).
        default: what holds while it was never set.
        minimum: least value of an integer.
        maximum: greatest value of an integer, at most what JavaScript holds exactly.
    """

    field: str
    key: str
    kind: Kind
    default: Any
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag of an organization.

    Args:
        field: its name in events.
        name: the name of its bit.
        bit: its value in the sum of flags.
        negated: the bit is set where the field is false.
    """

    field: str
    name: str
    bit: int
    negated: bool = False

    def read(self, flags: int) -> bool:
        """The value of the field in a sum of flags."""
        return bool(flags & self.bit) != self.negated

    def write(self, flags: int, value: bool) -> int:  # noqa: FBT001  # the value itself, not a mode
        """A sum of flags in which the field has this value."""
        return flags | self.bit if value != self.negated else flags & ~self.bit


def _boolean(field: str, key: str, *, default: bool) -> Option:
    return Option(field, f"sentry:{key}", "boolean", default)


_OPTIONS = (
    Option("projectRateLimit", "sentry:project-rate-limit", "integer", 100, 50, 100),
    Option("accountRateLimit", "sentry:account-rate-limit", "integer", 0, 0, 1_000_000),
    _boolean("dataScrubber", "require_scrub_data", default=False),
    Option("sensitiveFields", "sentry:sensitive_fields", "strings", None),
    Option("safeFields", "sentry:safe_fields", "strings", None),
    _boolean("scrapeJavaScript", "scrape_javascript", default=True),
    _boolean("dataScrubberDefaults", "require_scrub_defaults", default=False),
    Option("storeCrashReports", "sentry:store_crash_reports", "integer", 0, -1, 100),
    Option("attachmentsRole", "sentry:attachments_role", "role", "member"),
    Option("debugFilesRole", "sentry:debug_files_role", "role", "admin"),
    _boolean("eventsMemberAdmin", "events_member_admin", default=True),
    _boolean("alertsMemberWrite", "alerts_member_write", default=True),
    _boolean("scrubIPAddresses", "require_scrub_ip_address", default=False),
    Option("relayPiiConfig", "sentry:relay_pii_config", "json", None),
    _boolean("allowJoinRequests", "join_requests", default=True),
    Option("apdexThreshold", "sentry:apdex_threshold", "integer", None, 1, 2**53 - 1),
    _boolean("aiSuggestedSolution", "ai_suggested_solution", default=True),
    _boolean("githubPRBot", "github_pr_bot", default=True),
    _boolean("githubOpenPRBot", "github_open_pr_bot", default=True),
    _boolean("githubNudgeInvite", "github_nudge_invite", default=True),
    _boolean("aggregatedDataConsent", "aggregated_data_consent", default=False),
    _boolean("genAIConsent", "gen_ai_consent", default=False),
    _boolean("issueAlertsThreadFlag", "issue_alerts_thread_flag", default=True),
    _boolean("metricAlertsThreadFlag", "metric_alerts_thread_flag", default=True),
    _boolean("metricsActivatePercentiles", "metrics_activate_percentiles", default=True),
    _boolean("metricsActivateLastForGauges", "metrics_activate_last_for_gauges", default=False),
    _boolean("extrapolateMetrics", "extrapolate_metrics", default=False),
    _boolean("uptimeAutodetection", "uptime_autodetection", default=True),
    Option("trustedRelays", "sentry:trusted-relays", "relays", None),
)

_FLAGS = (
    Flag("openMembership", "allow_joinleave", 1),
    Flag("enhancedPrivacy", "enhanced_privacy", 2),
    Flag("allowSharedIssues", "disable_shared_issues", 4, negated=True),
    Flag("isEarlyAdopter", "early_adopter", 8),
    Flag("require2FA", "require_2fa", 16),
    Flag("requireEmailVerification", "require_email_verification", 64),
    Flag("codecovAccess", "codecov_access", 128),
    Flag("allowMemberProjectCreation", "disable_member_project_creation", 256, negated=True),
    Flag("allowSuperuserAccess", "prevent_superuser_access", 512, negated=True),
    Flag("allowMemberInvite", "disable_member_invite", 1024, negated=True),
)

OPTIONS: Final = {option.field: option for option in _OPTIONS}
"""Every option by its API field."""

FLAGS: Final = {flag.field: flag for flag in _FLAGS}
"""Every flag by its API field."""
