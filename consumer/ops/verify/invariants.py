"""What must be true of the tables whatever events came in (SEMANTICS sections 2 to 7)."""

from __future__ import annotations

from consumer.ops.verify.checks import Check

_REAPPLY = (
    "apply the events of these rows once more: `release-consumer replay TOPIC --from-offset P:N --force`, or publish"
    " them again under new ids"
)
_RESTORE = "a change by hand, or a bug: restore these rows from a backup, and report it if nobody touched them"

INVARIANTS = (
    Check(
        "commit-log",
        "release_commit",
        "the positions of a commit log are 0, 1, 2 and so on, newest first, commits without a time last",
        _REAPPLY,
    ),
    Check("commit-log-repeats", "release_commit", "a commit is once in the log of a release", _REAPPLY),
    Check(
        "release-totals",
        "release",
        "the commit count, last commit and authors of a release are those of its log",
        _REAPPLY,
    ),
    Check(
        "head-commits",
        "release_head_commit",
        "every repository of a log has a head, and a head is a commit of its repository",
        _REAPPLY,
    ),
    Check(
        "listings",
        "release_project",
        "listings have the status and the date of their release; an environment is that of a project of the release",
        _RESTORE,
    ),
    Check(
        "deploys", "release", "the number of deploys of a release and the last one are those of its deploys", _RESTORE
    ),
    Check(
        "group-status",
        "issue_group",
        "a group with a resolution is resolved, and the time it was resolved at is set as long as it is",
        "send a group-updated event with the status that is right",
    ),
    Check(
        "group-history",
        "issue_group",
        "the last line of a group's history says its status, and the release that it is resolved in",
        "send a group-updated event with the status and the resolution that are right",
    ),
    Check(
        "group-history-lines",
        "group_history",
        "each time that a group was announced as resolved, unresolved or reviewed has a line in its history",
        _RESTORE,
    ),
    Check(
        "release-fields",
        "release",
        "the ref, url and date of a release are as they were announced, when it was created or updated",
        "send a release-updated event with the value that is right",
    ),
    Check(
        "group-links",
        "group_link",
        "a group is linked to the commits and pull requests whose messages name it, and to no other",
        _RESTORE,
    ),
    Check("organizations", "release_project", "what belongs together belongs to one organization", _RESTORE),
    Check("activity-repeats", "activity", "an activity is kept once", "remove the row that was added by hand"),
    Check("activity-content", "activity", "the columns of an activity say what its event says", _RESTORE),
)
