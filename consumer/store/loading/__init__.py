"""Reading a working set: a fixed number of statements, whatever the batch holds.

Order matters: locks first (organizations, then release rows), then what hangs on them, so that what is read
cannot change before the batch commits, or its change is noticed (``Row.xmin``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.store.loading import catalog, commits, groups, releases
from consumer.store.loading.session import Session
from consumer.store.working_set import WorkingSet

if TYPE_CHECKING:
    from datetime import datetime

    from consumer.store.database import Cursor
    from consumer.store.id_supply import IdSupply
    from consumer.store.needs import CommitListNeed, Needs


def load(cursor: Cursor, needs: Needs, ids: IdSupply, now: datetime) -> WorkingSet:
    """Read the working set of a batch; takes the locks that the batch holds to its commit.

    Args:
        cursor: inside the batch's transaction.
        needs: what the events name.
        ids: where ids of new rows come from.
        now: time of the batch, UTC.
    """
    rows = WorkingSet(now, ids.next)
    session = Session(cursor, needs, rows)
    catalog.lock_organizations(session)
    catalog.load_organizations(session)
    catalog.load_projects(session)
    catalog.load_environments(session)
    catalog.load_avatars(session)
    releases.load_releases(session)
    releases.load_deploys(session)
    lists = releases.load_changed_lists(session)
    commits.load_repositories(session, lists)
    commits.load_commits(session, lists)
    late = groups.load_referrers(session)
    groups.load_pull_requests(session, lists, late)
    groups.load_releases_of_commits(session, late)
    groups.load_references(session)
    groups.load_groups(session, lists)
    groups.load_next_releases(session)
    commits.load_authors(session)
    ids.reserve(cursor, _new_rows(rows, needs, lists))
    return rows


def _new_rows(rows: WorkingSet, needs: Needs, lists: list[CommitListNeed]) -> dict[str, int]:
    """How many new rows of each table the batch can make, at most."""
    listed = sum(len(keys) for need in lists for keys in need.keys.values())
    repositories = {(need.organization, name) for need in lists for name in need.keys}
    referrers = sum(map(len, rows.referrers.values()))
    return {
        "organization": len(needs.organizations) - len(rows.organizations),
        "project": len(needs.projects) - len(rows.projects),
        # A release that is deleted may be created anew by each event that follows.
        "release": len(needs.attachments) - len(rows.releases) + needs.deletion_count,
        "issue_group": len(needs.late_groups),
        "repository": len(repositories | needs.repositories),
        "commit_author": sum(map(len, needs.authors.values())),
        "commit": listed + sum(map(len, needs.head_commits.values())),
        "pull_request": len(needs.pull_requests),
        "external_issue": len(needs.external_issues),
        "group_link": sum(need.links for need in lists) + referrers + needs.links,
        "environment": len(needs.environments),
        "deploy": needs.deploy_count,
    }
