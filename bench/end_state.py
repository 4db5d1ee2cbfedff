"""What the rules have to leave behind, by natural keys: the same whoever applied them, and under whatever ids."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2

State = dict[str, list[tuple[Any, ...]]]

_STATEMENTS = {
    "projects": "SELECT o.slug, p.slug FROM project p JOIN organization o ON o.id = p.organization_id",
    "repositories": "SELECT o.slug, r.name FROM repository r JOIN organization o ON o.id = r.organization_id",
    "authors": "SELECT o.slug, a.email, a.name FROM commit_author a JOIN organization o ON o.id = a.organization_id",
    "releases": """
        SELECT o.slug, r.version, r.status, r.ref, r.url, r.owner, r.date_started, r.date_released, r.commit_count,
            c.key, r.package, r.major, r.minor, r.patch, r.revision, r.prerelease, r.build_code, r.build_number,
            ARRAY(
                SELECT a.email FROM unnest(r.authors) WITH ORDINALITY AS u (id, place)
                JOIN commit_author a ON a.id = u.id ORDER BY u.place
            )
        FROM release r
        JOIN organization o ON o.id = r.organization_id
        LEFT JOIN commit c ON c.id = r.last_commit_id
    """,
    "projects of releases": """
        SELECT o.slug, r.version, p.slug, rp.status, rp.folded_version, rp.precedence
        FROM release_project rp
        JOIN release r ON r.id = rp.release_id
        JOIN project p ON p.id = rp.project_id
        JOIN organization o ON o.id = r.organization_id
    """,
    "commits": """
        SELECT o.slug, p.name, c.key, a.email, c.message, c.date_added
        FROM commit c
        JOIN repository p ON p.id = c.repository_id
        JOIN organization o ON o.id = p.organization_id
        LEFT JOIN commit_author a ON a.id = c.author_id
    """,
    "file changes": """
        SELECT o.slug, p.name, c.key, f.filename, f.type
        FROM commit_file_change f
        JOIN commit c ON c.id = f.commit_id
        JOIN repository p ON p.id = c.repository_id
        JOIN organization o ON o.id = p.organization_id
    """,
    "logs": """
        SELECT o.slug, r.version, l.position, p.name, c.key, l.timestamp
        FROM release_commit l
        JOIN release r ON r.id = l.release_id
        JOIN organization o ON o.id = r.organization_id
        JOIN commit c ON c.id = l.commit_id
        JOIN repository p ON p.id = c.repository_id
    """,
    "heads": """
        SELECT o.slug, r.version, p.name, c.key
        FROM release_head_commit h
        JOIN release r ON r.id = h.release_id
        JOIN organization o ON o.id = r.organization_id
        JOIN commit c ON c.id = h.commit_id
        JOIN repository p ON p.id = h.repository_id
    """,
    "groups": """
        SELECT o.slug, g.short_id, g.status, g.resolved_at IS NULL, i.reason, s.version, s.type, s.status,
            s.actor_name, s.actor_email
        FROM issue_group g
        JOIN organization o ON o.id = g.organization_id
        LEFT JOIN group_inbox i ON i.group_id = g.id
        LEFT JOIN group_resolution s ON s.group_id = g.id
    """,
    "links": """
        SELECT o.slug, g.short_id, l.linked_type, c.key, l.relationship
        FROM group_link l
        JOIN issue_group g ON g.id = l.group_id
        JOIN organization o ON o.id = g.organization_id
        LEFT JOIN commit c ON l.linked_type = 1 AND c.id = l.linked_id
    """,
    "references": """
        SELECT o.slug, m.short_id, m.linked_type, c.key
        FROM message_reference m
        JOIN organization o ON o.id = m.organization_id
        LEFT JOIN commit c ON m.linked_type = 1 AND c.id = m.linked_id
    """,
    "what resolved groups": """
        SELECT o.slug, g.short_id, r.version, b.linked_type, c.key
        FROM group_resolved_by b
        JOIN issue_group g ON g.id = b.group_id
        JOIN organization o ON o.id = g.organization_id
        JOIN release r ON r.id = b.release_id
        LEFT JOIN commit c ON b.linked_type = 1 AND c.id = b.linked_id
    """,
    "history of groups": """
        SELECT o.slug, g.short_id, h.status, h.version, h.actor_name, h.actor_email
        FROM group_history h
        JOIN issue_group g ON g.id = h.group_id
        JOIN organization o ON o.id = g.organization_id
    """,
    "event ids": "SELECT digest::text FROM processed_event",
    "activities": "SELECT key, type, (cloudevent -> 'data')::text::jsonb::text FROM activity",
}


def read_state(url: str) -> State:
    """Read what is compared, in an order that depends on nothing but the values."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        state: State = {}
        for name, statement in _STATEMENTS.items():
            cursor.execute(statement)
            state[name] = sorted(cursor.fetchall(), key=repr)
        return state


def difference(ours: State, theirs: State) -> str | None:
    """What differs first between two states, in words; ``None`` where nothing does."""
    for name, rows in ours.items():
        others = theirs[name]
        if rows != others:
            own = next((row for row in rows if row not in others), None)
            other = next((row for row in others if row not in rows), None)
            return f"{name}: {len(rows)} and {len(others)} rows; only on one side: {own}; only on the other: {other}"
    return None
