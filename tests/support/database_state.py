"""A database as the JSON that ``ReferenceModel.state()`` gives, and what no database may hold whatever was applied."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select, text

from consumer.codes import (
    GroupStatus,
    InboxReason,
    LinkedType,
    Relationship,
    ReleaseStatus,
    ResolutionStatus,
    ResolutionType,
)
from consumer.ops.verify.conservation import CONSERVATION
from consumer.ops.verify.invariants import INVARIANTS
from consumer.store import tables
from consumer.store.working_set import FALLBACK_REPOSITORY
from tests.model.organizations import without_idents
from tests.model.reference import fallback_repository
from tests.model.references import referenced_short_ids
from tests.model.views import rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection, RowMapping, Table

    from consumer.ops.verify.report import Fault

Json = dict[str, Any]


def read_state(connection: Connection, started: datetime) -> Json:
    """Read what can be compared with the model.

    Args:
        connection: the database.
        started: when the first batch was applied: dates of commits and deploys from then on are times of storing, given
            by no event.
    """
    return _StateReader(connection, started).read()


def read_dead_letters(connection: Connection) -> list[Json]:
    """Read which events are dead, why, and where, in no certain order."""
    letters = []
    for row in _rows(connection, tables.dead_letter):
        event = orjson.loads(row["value"])
        paths = sorted(error["path"] for error in row["errors"])
        letters.append({"source": event["source"], "id": event["id"], "reason": row["reason"], "paths": paths})
    return letters


def _without_chance(data: Json, started: datetime) -> Json:
    """Return the data of an activity without idents of pictures and without times of storing, from ``started`` on."""
    changed = dict(data)
    if "dateFinished" in data:
        changed["dateFinished"] = _given(datetime.fromisoformat(data["dateFinished"]), started)
    if "avatar" in data.get("changes", ()):
        changed["changes"] = data["changes"] | {"avatar": without_idents(data["changes"]["avatar"])}
    return changed


def _given(moment: datetime, started: datetime) -> str | None:
    """A time that an event gave; ``None`` for a time of storing."""
    return None if moment >= started else rfc3339(moment)


def dump_rows(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row of every table, with the transaction that wrote it; without the positions of streams."""
    return {
        table.name: list(
            map(tuple, connection.execute(select(text("xmin::text"), table).order_by(*table.primary_key.columns)))
        )
        for table in tables.metadata.sorted_tables
        if table is not tables.consumer_offset
    }


def broken_invariants(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows that break an invariant, by its name; nothing where all hold. Nothing must wait or be pruned."""
    broken = {
        name: list(map(tuple, rows))
        for name, query in _NEVER.items()
        if (rows := connection.execute(text(query)).all())
    }
    unlike = list(_references_unlike_their_messages(connection))
    return broken | ({"references are those of the message": unlike} if unlike else {})


def failed_checks(connection: Connection, group_id: str) -> list[Fault]:
    """Return what ``verify`` finds wrong with the tables: it must not cry wolf, whatever was applied."""
    with closing(connection.connection.cursor()) as cursor:
        faults = [check.run(cursor, {"group": group_id}) for check in CONSERVATION]  # type: ignore[arg-type]
        faults += [check.run(cursor) for check in INVARIANTS]  # type: ignore[arg-type]
    return [fault for fault in faults if fault is not None]


_NEVER = {
    "positions of a log have no gaps": """
        SELECT release_id FROM release_commit
        GROUP BY release_id HAVING min(position) <> 0 OR max(position) <> count(*) - 1
    """,
    "a log has a commit once": """
        SELECT release_id, commit_id FROM release_commit GROUP BY release_id, commit_id HAVING count(*) > 1
    """,
    "a release agrees with its log": """
        SELECT r.id, r.commit_count, r.last_commit_id, r.authors, l.*
        FROM release r
        LEFT JOIN LATERAL (
            SELECT count(*) AS commits,
                   min(rc.commit_id) FILTER (WHERE rc.position = 0) AS newest,
                   array_agg(c.author_id ORDER BY rc.position) FILTER (WHERE c.author_id IS NOT NULL) AS authors
            FROM release_commit rc JOIN commit c ON c.id = rc.commit_id
            WHERE rc.release_id = r.id
        ) AS l ON true
        WHERE r.commit_count <> l.commits
           OR r.last_commit_id IS DISTINCT FROM l.newest
           OR r.authors <> ARRAY(
                SELECT a.id FROM unnest(l.authors) WITH ORDINALITY AS a (id, place) GROUP BY a.id ORDER BY min(a.place)
           )
    """,
    "logs, heads and commits point to rows of one organization": """
        SELECT r.id, pointer.commit_id
        FROM release r
        JOIN (
            SELECT release_id, commit_id, NULL AS repository_id FROM release_commit
            UNION ALL
            SELECT release_id, commit_id, repository_id FROM release_head_commit
        ) AS pointer ON pointer.release_id = r.id
        LEFT JOIN commit c ON c.id = pointer.commit_id
        LEFT JOIN repository o ON o.id = c.repository_id
        LEFT JOIN commit_author a ON a.id = c.author_id
        WHERE o.organization_id IS DISTINCT FROM r.organization_id
           OR (c.author_id IS NOT NULL AND a.organization_id IS DISTINCT FROM r.organization_id)
           OR pointer.repository_id <> c.repository_id
    """,
    "what belongs to a release has one": """
        SELECT part.*
        FROM (
            SELECT 'release_commit', release_id FROM release_commit
            UNION SELECT 'release_head_commit', release_id FROM release_head_commit
            UNION SELECT 'release_project', release_id FROM release_project
            UNION SELECT 'release_environment', release_id FROM release_environment
            UNION SELECT 'deploy', release_id FROM deploy
            UNION SELECT 'group_resolved_by', release_id FROM group_resolved_by
        ) AS part (of, release_id)
        WHERE part.release_id NOT IN (SELECT id FROM release)
    """,
    "a release is listed as what it is": """
        SELECT r.version, l.*
        FROM release r
        JOIN (
            SELECT release_id, status, listed_at, folded_version, precedence FROM release_project
            UNION ALL
            SELECT release_id, status, listed_at, folded_version, precedence FROM release_environment
        ) AS l ON l.release_id = r.id
        WHERE l.status <> r.status OR l.listed_at <> coalesce(r.date_released, r.date_added)
           OR l.folded_version <> lower(r.version) OR (l.precedence = '') <> (r.major IS NULL)
    """,
    "a release counts its deploys and knows the last": """
        SELECT r.version, r.total_deploys, r.last_deploy_id, d.*
        FROM release r
        LEFT JOIN LATERAL (
            SELECT count(*) AS deploys, max(id) AS last FROM deploy WHERE release_id = r.id
        ) AS d ON true
        WHERE r.total_deploys <> d.deploys OR r.last_deploy_id IS DISTINCT FROM d.last
    """,
    "a release was seen where it was deployed to, in its projects": """
        SELECT s.release_id, s.project_id, s.environment_id, s.last_deploy_id, s.first_seen, s.last_seen
        FROM release_environment s
        JOIN release r ON r.id = s.release_id
        LEFT JOIN release_project p ON p.release_id = s.release_id AND p.project_id = s.project_id
        LEFT JOIN environment e ON e.id = s.environment_id AND e.organization_id = r.organization_id
        LEFT JOIN deploy d
            ON d.id = s.last_deploy_id AND d.release_id = s.release_id AND d.environment_id = s.environment_id
        WHERE p.project_id IS NULL OR e.id IS NULL OR d.id IS NULL OR s.first_seen > s.last_seen
    """,
    "a deploy belongs to an environment of its organization": """
        SELECT d.id, d.environment_id
        FROM deploy d
        JOIN release r ON r.id = d.release_id
        LEFT JOIN environment e ON e.id = d.environment_id AND e.organization_id = r.organization_id
        WHERE e.id IS NULL
    """,
    "a resolution is pending unless it is in a release": """
        SELECT group_id, version, type, status FROM group_resolution WHERE (type = 0) <> (status = 1)
    """,
    "what resolved a group is in its history": """
        SELECT a.group_id, a.version, a.times, h.times
        FROM (
            SELECT group_id, cloudevent -> 'data' ->> 'version' AS version, count(*) AS times
            FROM activity WHERE type = 'activity.group.resolved' GROUP BY 1, 2
        ) AS a
        LEFT JOIN LATERAL (
            SELECT count(*) AS times FROM group_history
            WHERE group_id = a.group_id AND version IS NOT DISTINCT FROM a.version AND status IN (1, 11)
        ) AS h ON true
        WHERE h.times < a.times
    """,
    "a picture is known by the ident that was announced and not replaced since": """
        SELECT o.slug, v.ident, v.content IS NULL, a.changes
        FROM organization o
        LEFT JOIN organization_avatar v ON v.organization_id = o.id
        LEFT JOIN LATERAL (
            SELECT array_agg(change) AS changes, count(*) FILTER (WHERE change LIKE '%to ' || v.ident) AS came,
                   count(*) FILTER (WHERE change LIKE 'from ' || v.ident || '%') AS went
            FROM (
                SELECT cloudevent -> 'data' -> 'changes' ->> 'avatar' AS change
                FROM activity WHERE organization_id = o.id
            ) AS told
            WHERE change IS NOT NULL
        ) AS a ON true
        WHERE (v.content IS NULL) <> (a.changes IS NULL) OR (v.content IS NOT NULL AND (a.came, a.went) <> (1, 0))
    """,
    "no two activities have one id": """
        SELECT event_id, array_agg(type), array_agg(cloudevent -> 'data' ->> 'version')
        FROM activity GROUP BY event_id HAVING count(*) > 1
    """,
    "a reference to a known group is its link": """
        SELECT m.short_id, m.linked_type, m.linked_id
        FROM message_reference m
        JOIN issue_group g ON g.organization_id = m.organization_id AND g.short_id = m.short_id
        LEFT JOIN group_link l ON l.group_id = g.id AND l.linked_type = m.linked_type AND l.linked_id = m.linked_id
        WHERE l.id IS NULL
    """,
    "a link to a commit or pull request is a reference": """
        SELECT g.short_id, l.linked_type, l.linked_id
        FROM group_link l
        JOIN issue_group g ON g.id = l.group_id
        LEFT JOIN message_reference m
            ON m.organization_id = g.organization_id AND m.short_id = g.short_id
            AND m.linked_type = l.linked_type AND m.linked_id = l.linked_id
        WHERE l.linked_type <> 3 AND m.short_id IS NULL
    """,
    "a group that is resolved knows since when, and only such a one has a resolution": """
        SELECT g.short_id, g.status, g.resolved_at, s.version
        FROM issue_group g LEFT JOIN group_resolution s ON s.group_id = g.id
        WHERE (g.status = 1) <> (g.resolved_at IS NOT NULL) OR (g.status <> 1 AND s.group_id IS NOT NULL)
    """,
    "numbers of a stream's announcements have no gaps": """
        SELECT o.id, o.next_seq, count(b.seq), min(b.seq), max(b.seq)
        FROM consumer_offset o LEFT JOIN outbox b ON b.offset_id = o.id
        GROUP BY o.id
        HAVING count(b.seq) <> o.next_seq - 1 OR min(b.seq) <> 1 OR max(b.seq) <> o.next_seq - 1
    """,
    "every activity and dead letter is announced once, in order": """
        SELECT a.id, b.offset_id, b.seq, a.cloudevent ->> 'stream', a.cloudevent ->> 'sequence'
        FROM activity a
        LEFT JOIN outbox b ON b.activity_id = a.id
        LEFT JOIN consumer_offset o ON o.id = b.offset_id
        WHERE (a.cloudevent ->> 'stream') IS DISTINCT FROM o.stream::text
           OR (a.cloudevent ->> 'sequence') IS DISTINCT FROM b.seq::text
        UNION ALL
        SELECT d.id, b.offset_id, b.seq, NULL, NULL
        FROM dead_letter d FULL JOIN (SELECT * FROM outbox WHERE dead_letter_id IS NOT NULL) AS b
            ON b.dead_letter_id = d.id
        WHERE b.offset_id IS DISTINCT FROM d.offset_id
    """,
    "every offset that a stream passed is told by its fate": """
        SELECT id, next_offset - first_offset, applied, duplicate, parked, dead, absent
        FROM consumer_offset
        WHERE applied + duplicate + parked + dead + absent <> next_offset - first_offset
    """,
}


def _references_unlike_their_messages(connection: Connection) -> Iterator[tuple[Any, ...]]:
    stored: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for row in _rows(connection, tables.message_reference):
        stored[row["linked_type"], row["linked_id"]].add(row["short_id"])
    texts: dict[tuple[int, int], list[str | None]] = {
        (LinkedType.COMMIT, row["id"]): [row["message"]] for row in _rows(connection, tables.commit)
    }
    for row in _rows(connection, tables.pull_request):
        texts[LinkedType.PULL_REQUEST, row["id"]] = [row["message"], row["title"]]
    for target in texts.keys() | stored.keys():
        named = referenced_short_ids(message or "" for message in texts.get(target, ()))
        if named != stored[target]:
            yield *target, sorted(stored[target]), sorted(named)


def _rows(connection: Connection, table: Table) -> Sequence[RowMapping]:
    """All rows of a table, in the order of their primary key."""
    return connection.execute(select(table).order_by(*table.primary_key.columns)).mappings().all()


def _without_times(option: Any) -> Any:
    """An option of an organization; of trusted relays what events say of them."""
    if not isinstance(option, list):
        return option
    told = ("name", "publicKey", "description")
    return [{name: item[name] for name in told} if isinstance(item, dict) else item for item in option]


class _StateReader:
    """Reads whole tables and joins them in memory, without anything of the product's own reading."""

    def __init__(self, connection: Connection, started: datetime) -> None:
        self._connection = connection
        self._started = started
        self._organizations = {row["id"]: row["slug"] for row in self._rows(tables.organization)}
        self._details = {row["id"]: row for row in self._rows(tables.organization)}
        self._avatars = {row["organization_id"]: row for row in self._rows(tables.organization_avatar)}
        self._environments = {row["id"]: row for row in self._rows(tables.environment)}
        self._fallbacks = {
            FALLBACK_REPOSITORY.format(id=id_): fallback_repository(slug) for id_, slug in self._organizations.items()
        }
        self._projects = {row["id"]: row for row in self._rows(tables.project)}
        self._releases = {row["id"]: row for row in self._rows(tables.release)}
        self._repositories = {row["id"]: row for row in self._rows(tables.repository)}
        self._authors = {row["id"]: row for row in self._rows(tables.commit_author)}
        self._groups = {row["id"]: row for row in self._rows(tables.issue_group)}
        self._issues = {row["id"]: row for row in self._rows(tables.external_issue)}
        self._pull_requests = {row["id"]: row for row in self._rows(tables.pull_request)}
        self._resolutions = {row["group_id"]: row for row in self._rows(tables.group_resolution)}
        self._inbox = {row["group_id"]: InboxReason(row["reason"]).label for row in self._rows(tables.group_inbox)}
        self._links = self._by(tables.group_link, "group_id")
        self._resolved_by = self._by(tables.group_resolved_by, "group_id")
        self._commits = self._read_commits()

    def read(self) -> Json:
        return {
            "organizations": {
                slug: self._organization(id_)
                for id_, slug in sorted(self._organizations.items(), key=lambda item: item[1])
            },
            "activities": [self._activity(row) for row in self._rows(tables.activity)],
        }

    def _rows(self, table: Table) -> Sequence[RowMapping]:
        return _rows(self._connection, table)

    def _by(self, table: Table, column: str) -> Mapping[int, list[RowMapping]]:
        found: defaultdict[int, list[RowMapping]] = defaultdict(list)
        for row in self._rows(table):
            found[row[column]].append(row)
        return found

    def _organization(self, id_: int) -> Json:
        def own(rows: Mapping[int, RowMapping]) -> list[RowMapping]:
            return [row for row in rows.values() if row["organization_id"] == id_]

        repositories = [row["id"] for row in own(self._repositories)]
        commits = [commit for repository, commit in self._commits.values() if repository in repositories]
        details = self._details[id_]
        return {
            "name": details["name"],
            "defaultRole": details["default_role"],
            "flags": details["flags"],
            "options": {field: _without_times(value) for field, value in details["options"].items()},
            "avatar": self._avatar(id_),
            "environments": sorted(row["name"] for row in own(self._environments)),
            "projects": {
                row["slug"]: {"name": row["name"], "platform": row["platform"]}
                for row in sorted(own(self._projects), key=lambda row: str(row["slug"]))
            },
            "repositories": sorted(map(self._repository, repositories)),
            "authors": {
                row["email"]: row["name"] for row in sorted(own(self._authors), key=lambda row: str(row["email"]))
            },
            "commits": sorted(commits, key=lambda commit: (commit["repository"], commit["id"])),
            "pullRequests": sorted(
                map(self._pull_request, own(self._pull_requests)), key=lambda pull: (pull["repository"], pull["number"])
            ),
            "releases": {row["version"]: release for row, release in self._read_releases(own(self._releases))},
            "groups": {
                row["short_id"]: self._group(row)
                for row in sorted(own(self._groups), key=lambda row: str(row["short_id"]))
            },
        }

    def _avatar(self, organization_id: int) -> Json:
        row = self._avatars.get(organization_id)
        if row is None:
            return {"type": "letter_avatar", "color": None, "picture": None}
        picture = row["content"] and sha256(row["content"]).hexdigest()
        return {"type": row["type"], "color": row["color"], "picture": picture}

    def _repository(self, id_: int) -> str:
        name: str = self._repositories[id_]["name"]
        return self._fallbacks.get(name, name)

    def _author(self, id_: int | None) -> Json | None:
        return None if id_ is None else {"name": self._authors[id_]["name"], "email": self._authors[id_]["email"]}

    def _read_commits(self) -> dict[int, tuple[int, Json]]:
        """Commits by id, each after the id of its repository."""
        files = self._by(tables.commit_file_change, "commit_id")
        return {
            row["id"]: (
                row["repository_id"],
                {
                    "id": row["key"],
                    "repository": self._repository(row["repository_id"]),
                    "message": row["message"],
                    "author": self._author(row["author_id"]),
                    "dateCreated": _given(row["date_added"], self._started),
                    "patchSet": [
                        {"path": file["filename"], "type": file["type"]}
                        for file in sorted(files[row["id"]], key=lambda file: str(file["filename"]))
                    ],
                },
            )
            for row in self._rows(tables.commit)
        }

    def _commit(self, id_: int) -> Json:
        return self._commits[id_][1]

    def _pull_request(self, row: RowMapping) -> Json:
        return {
            "repository": self._repository(row["repository_id"]),
            "number": row["key"],
            "mergeCommitSha": row["merge_commit_sha"],
            "title": row["title"],
            "message": row["message"],
            "author": self._author(row["author_id"]),
        }

    def _read_releases(self, rows: list[RowMapping]) -> Iterator[tuple[RowMapping, Json]]:
        projects = self._by(tables.release_project, "release_id")
        logs = self._by(tables.release_commit, "release_id")
        heads = self._by(tables.release_head_commit, "release_id")
        deploys = self._by(tables.deploy, "release_id")
        seen = self._by(tables.release_environment, "release_id")
        for row in sorted(rows, key=lambda row: str(row["version"])):
            head_commits = [self._commit(head["commit_id"]) for head in heads[row["id"]]]
            yield (
                row,
                {
                    "organization": self._organizations[row["organization_id"]],
                    "version": row["version"],
                    "status": ReleaseStatus(row["status"]).label,
                    "ref": row["ref"],
                    "url": row["url"],
                    "dateReleased": row["date_released"] and rfc3339(row["date_released"]),
                    "commitCount": row["commit_count"],
                    "lastCommit": row["last_commit_id"] and self._commit(row["last_commit_id"])["id"],
                    "authors": [self._author(author) for author in row["authors"]],
                    "projects": sorted(
                        self._projects[project["project_id"]]["slug"] for project in projects[row["id"]]
                    ),
                    "commits": [self._commit(entry["commit_id"]) for entry in logs[row["id"]]],
                    "headCommits": sorted(
                        ({"repository": head["repository"], "commit": head["id"]} for head in head_commits),
                        key=lambda head: str(head["repository"]),
                    ),
                    "deploys": self._deploys(deploys[row["id"]]),
                    "resolvedGroups": sorted(self._groups_resolved_in(row)),
                    "owner": row["owner"],
                    "dateStarted": row["date_started"] and rfc3339(row["date_started"]),
                    "seenIn": sorted(
                        [self._projects[at["project_id"]]["slug"], self._environments[at["environment_id"]]["name"]]
                        for at in seen[row["id"]]
                    ),
                },
            )

    def _deploys(self, rows: list[RowMapping]) -> list[Json]:
        """The last finished first; of equals the last stored first."""
        return [
            {
                "environment": self._environments[row["environment_id"]]["name"],
                "name": row["name"],
                "url": row["url"],
                "dateStarted": row["date_started"] and rfc3339(row["date_started"]),
                "dateFinished": _given(row["date_finished"], self._started),
            }
            for row in sorted(rows, key=lambda row: (row["date_finished"], row["id"]), reverse=True)
        ]

    def _groups_resolved_in(self, release: RowMapping) -> Iterator[str]:
        for group_id, resolution in self._resolutions.items():
            group = self._groups[group_id]
            if (
                group["organization_id"] == release["organization_id"]
                and group["status"] == GroupStatus.RESOLVED
                and resolution["version"] == release["version"]
                and resolution["type"] == ResolutionType.IN_RELEASE
            ):
                yield group["short_id"]

    def _group(self, row: RowMapping) -> Json:
        links = self._links[row["id"]]
        issues = [self._issues[link["linked_id"]] for link in links if link["linked_type"] == LinkedType.ISSUE]
        return {
            "organization": self._organizations[row["organization_id"]],
            "project": self._projects[row["project_id"]]["slug"],
            "shortId": row["short_id"],
            "title": row["title"],
            "status": GroupStatus(row["status"]).label,
            "inbox": self._inbox.get(row["id"]),
            "resolution": self._resolution(row["id"]),
            "links": sorted(map(self._link, links), key=lambda link: (link["type"], link["id"])),
            "activity": [],
            "firstRelease": row["first_release"],
            "resolvedAt": row["resolved_at"] is not None,
            "externalIssues": [
                {"provider": issue["provider"], "key": issue["key"], "url": issue["url"]}
                for issue in sorted(issues, key=lambda issue: (issue["provider"], issue["key"]))
            ],
            "resolvedBy": sorted(
                [self._releases[by["release_id"]]["version"], *self._source(by["linked_type"], by["linked_id"])]
                for by in self._resolved_by[row["id"]]
            ),
        }

    def _resolution(self, group_id: int) -> Json | None:
        row = self._resolutions.get(group_id)
        if row is None:
            return None
        actor = {"name": row["actor_name"], "email": row["actor_email"]}
        return {
            "release": row["version"],
            "type": ResolutionType(row["type"]).label,
            "status": ResolutionStatus(row["status"]).label,
            "actor": actor if any(actor.values()) else None,
        }

    def _link(self, row: RowMapping) -> Json:
        linked_type = LinkedType(row["linked_type"])
        if linked_type is LinkedType.ISSUE:
            id_ = self._issues[row["linked_id"]]["key"]
        else:
            _, _, id_ = self._source(linked_type, row["linked_id"])
        return {"type": linked_type.label, "id": id_, "relationship": Relationship(row["relationship"]).label}

    def _source(self, linked_type: int, id_: int) -> tuple[str, str, str]:
        """Type, repository and id of a commit or pull request."""
        if linked_type == LinkedType.COMMIT:
            commit = self._commit(id_)
            return "commit", commit["repository"], commit["id"]
        row = self._pull_requests[id_]
        return "pull_request", self._repository(row["repository_id"]), row["key"]

    def _activity(self, row: RowMapping) -> Json:
        event = row["cloudevent"]
        return {
            "type": row["type"],
            "key": row["key"],
            "data": _without_chance(self._with_fallbacks(event["data"]), self._started),
            "cause": {"source": event["causesource"], "id": event["causeid"]},
        }

    def _with_fallbacks(self, value: Any) -> Any:
        """Call fallback repositories what the model calls them."""
        if isinstance(value, dict):
            return {name: self._with_fallbacks(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._with_fallbacks(item) for item in value]
        return self._fallbacks.get(value, value) if isinstance(value, str) else value
