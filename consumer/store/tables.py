"""The tables: one place that says what is kept, from which the first migration was made.

Ids of organizations, projects, releases and groups are snowflakes; other ids come from sequences that hand out
blocks of ``ID_BLOCK`` (see ``store.id_blocks``). Enumerations are smallints with Sentry's numbers (``store.codes``).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

ID_BLOCK = 1000
"""How many ids one call of a sequence of ``SEQUENCED_TABLES`` hands out."""

SEQUENCED_TABLES = (
    "repository",
    "commit_author",
    "commit",
    "pull_request",
    "external_issue",
    "group_link",
    "activity",
    "dead_letter",
    "environment",
    "deploy",
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    }
)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


sequences = {name: Sequence(f"{name}_id_seq", metadata=metadata, increment=ID_BLOCK) for name in SEQUENCED_TABLES}

# Next free tick of the snowflake ids that PostgreSQL gives while Redis cannot (see ids.fallback).
snowflake_fallback_sequence = Sequence("snowflake_fallback_seq", metadata=metadata)

# --- The catalog: who there is -------------------------------------------------------------------------------

organization = Table(
    "organization",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("slug", String(50), nullable=False, unique=True),
    Column("name", String(64)),
    Column("default_role", String(32), nullable=False, server_default=text("'member'")),
    Column("flags", Integer, nullable=False, server_default=text("1")),
    Column("options", JSON, nullable=False, server_default=text("'{}'"), comment="what was ever set, by API field"),
    _time("date_added"),
)

organization_avatar = Table(
    "organization_avatar",
    metadata,
    Column("organization_id", ForeignKey("organization.id"), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("ident", String(32), nullable=False, unique=True),
    Column("color", String(7)),
    Column("digest", LargeBinary, comment="of the content"),
    Column("content", LargeBinary, comment="the picture"),
)

environment = Table(
    "environment",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("name", String(64), nullable=False),
    _time("date_added"),
    UniqueConstraint("organization_id", "name"),
)

project = Table(
    "project",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("slug", String(50), nullable=False),
    Column("name", String(200)),
    Column("platform", String(64)),
    _time("date_added"),
    UniqueConstraint("organization_id", "slug"),
)

# --- Releases and their commits ------------------------------------------------------------------------------
#
# Rows that every event or commit adds carry no foreign keys: a check is a look-up a row and a lock on the parent.

release = Table(
    "release",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("version", String(200), nullable=False),
    Column("status", SmallInteger, nullable=False, server_default=text("0")),
    Column("ref", String(200)),
    Column("url", String(200)),
    Column("owner", String(200)),
    _time("date_added"),
    _time("date_started", nullable=True),
    _time("date_released", nullable=True),
    Column("commit_count", Integer, nullable=False, server_default=text("0")),
    Column("last_commit_id", BigInteger),
    Column("authors", ARRAY(BigInteger), nullable=False, server_default=text("'{}'")),
    Column(
        "log_digest", LargeBinary, comment="digest of the event that the log was last set by; NULL: compare in full"
    ),
    _time("log_set_at", nullable=True),
    Column("total_deploys", Integer, nullable=False, server_default=text("0")),
    Column("last_deploy_id", BigInteger),
    Column("package", Text, comment="this and the next seven: the version as parsed; NULL: it is no semantic version"),
    Column("major", BigInteger),
    Column("minor", BigInteger),
    Column("patch", BigInteger),
    Column("revision", BigInteger),
    Column("prerelease", Text),
    Column("build_code", Text),
    Column("build_number", BigInteger),
    UniqueConstraint("organization_id", "version"),
)


# The numbers of a semantic version have no "@", and there is one before them. Where a number begins with a zero that it
# does not need, the text tells less of the precedence: such versions are apart, by an "@" more.
_STEM = (
    "CASE WHEN precedence = '' THEN folded_version"
    " WHEN folded_version ~ '@([0-9]+[.])*0[0-9]' THEN substring(folded_version FROM '^.*@') || '@'"
    " ELSE substring(folded_version FROM '^.*@') END"
)


def _listing(table: str, *of: str) -> tuple[Column[object] | Index, ...]:
    """What lists the releases of a project, or of an environment: columns that repeat the release's, and indexes.

    A page is one range of the index of its order; of what starts with a text in the order of versions, one range for
    each stem. All that starts with a text is one range too, in neither order. Every index has what finds a page by it:
    the table is not read.

    Args:
        table: name of the table.
        of: the columns that say what is listed.
    """
    listed = (*of, "status")
    return (
        Column("status", SmallInteger, nullable=False, comment="of the release"),
        _time("listed_at"),
        Column("folded_version", Text(collation="C"), nullable=False, comment="the version in no case"),
        Column("precedence", Text(collation="C"), nullable=False, comment="of the semantic version; empty: it is none"),
        Column(
            "stem",
            Text(collation="C"),
            Computed(_STEM, persisted=True),
            nullable=False,
            comment="the folded version up to its numbers, see consumer.store.listing_keys",
        ),
        Index(f"{table}_date_idx", *listed, "listed_at", "release_id", "folded_version"),
        Index(f"{table}_precedence_idx", *listed, "precedence", "release_id", "folded_version"),
        Index(f"{table}_stem_idx", *listed, "stem", "precedence", "release_id", "folded_version", "listed_at"),
        Index(f"{table}_version_idx", *listed, "folded_version", "precedence", "release_id", "listed_at"),
    )


release_project = Table(
    "release_project",
    metadata,
    Column("release_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    _time("date_added"),
    *_listing("release_project", "project_id"),
    PrimaryKeyConstraint("release_id", "project_id"),
    Index(None, "project_id", "date_added", "release_id"),
)

release_environment = Table(
    "release_environment",
    metadata,
    Column("release_id", BigInteger, nullable=False),
    Column("project_id", BigInteger, nullable=False),
    Column("environment_id", BigInteger, nullable=False),
    *_listing("release_environment", "project_id", "environment_id"),
    _time("first_seen"),
    _time("last_seen"),
    Column("last_deploy_id", BigInteger),
    PrimaryKeyConstraint("release_id", "project_id", "environment_id"),
    comment="environments that a release of a project was seen in",
)

deploy = Table(
    "deploy",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("release_id", BigInteger, nullable=False),
    Column("environment_id", BigInteger, nullable=False),
    Column("name", String(64)),
    Column("url", String(200)),
    _time("date_started", nullable=True),
    _time("date_finished"),
    Column("project_ids", ARRAY(BigInteger), nullable=False, comment="of the projects that it was told of"),
    Index(None, "release_id"),
)

repository = Table(
    "repository",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("name", String(200), nullable=False),
    UniqueConstraint("organization_id", "name"),
)

commit_author = Table(
    "commit_author",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("email", String(200), nullable=False),
    Column("name", String(128)),
    UniqueConstraint("organization_id", "email"),
)

commit = Table(
    "commit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("key", String(64), nullable=False),
    Column("author_id", BigInteger),
    _time("date_added"),
    Column("message", Text),
    UniqueConstraint("repository_id", "key"),
)

commit_file_change = Table(
    "commit_file_change",
    metadata,
    Column("commit_id", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("type", String(1), nullable=False),
    PrimaryKeyConstraint("commit_id", "filename"),
)

release_commit = Table(
    "release_commit",
    metadata,
    Column("release_id", BigInteger, nullable=False),
    Column("position", Integer, nullable=False, comment="0 = newest, without gaps"),
    Column("commit_id", BigInteger, nullable=False),
    _time("timestamp", nullable=True),
    PrimaryKeyConstraint("release_id", "position"),
    Index(None, "commit_id"),
    comment="the commit log; timestamp is the one the log was ordered by, NULL where the event gave none",
)

release_head_commit = Table(
    "release_head_commit",
    metadata,
    Column("release_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("commit_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("release_id", "repository_id"),
)

pull_request = Table(
    "pull_request",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("repository_id", BigInteger, nullable=False),
    Column("key", String(64), nullable=False),
    Column("title", Text),
    Column("message", Text),
    Column("author_id", BigInteger),
    Column("merge_commit_sha", String(64), nullable=False),
    UniqueConstraint("repository_id", "key"),
    Index(None, "organization_id", "merge_commit_sha"),
)

# --- Groups --------------------------------------------------------------------------------------------------

# "group" is a reserved word of SQL.
issue_group = Table(
    "issue_group",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("project_id", ForeignKey("project.id"), nullable=False),
    Column("short_id", String(80), nullable=False, comment="upper case"),
    Column("title", Text, nullable=False, server_default=text("''")),
    Column("status", SmallInteger, nullable=False, server_default=text("0")),
    Column("first_release", String(200), comment="a version; the release may not be known yet"),
    _time("resolved_at", nullable=True),
    _time("date_added"),
    UniqueConstraint("organization_id", "short_id"),
)

group_inbox = Table(
    "group_inbox",
    metadata,
    Column("group_id", ForeignKey("issue_group.id", ondelete="CASCADE"), primary_key=True),
    Column("reason", SmallInteger, nullable=False),
    _time("date_added"),
)

message_reference = Table(
    "message_reference",
    metadata,
    Column("organization_id", BigInteger, nullable=False),
    Column("short_id", String(80), nullable=False, comment="upper case; the group may not be known yet"),
    Column("linked_type", SmallInteger, nullable=False),
    Column("linked_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("linked_type", "linked_id", "short_id"),
    Index(None, "organization_id", "short_id"),
    comment="short ids that the message of a commit or pull request names",
)

group_link = Table(
    "group_link",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("group_id", ForeignKey("issue_group.id", ondelete="CASCADE"), nullable=False),
    Column("linked_type", SmallInteger, nullable=False),
    Column("linked_id", BigInteger, nullable=False),
    Column("relationship", SmallInteger, nullable=False),
    UniqueConstraint("group_id", "linked_type", "linked_id"),
    Index(None, "linked_type", "linked_id"),
)

external_issue = Table(
    "external_issue",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("organization_id", ForeignKey("organization.id"), nullable=False),
    Column("provider", String(64), nullable=False),
    Column("key", String(256), nullable=False),
    Column("url", Text),
    UniqueConstraint("organization_id", "provider", "key"),
)

group_resolution = Table(
    "group_resolution",
    metadata,
    Column("group_id", ForeignKey("issue_group.id", ondelete="CASCADE"), primary_key=True),
    Column("version", String(200), nullable=False, comment="the release; it may not be known yet"),
    Column("type", SmallInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("actor_name", Text),
    Column("actor_email", Text),
    _time("date_added"),
    Index("group_resolution_pending_idx", "group_id", postgresql_where=text("status = 0")),
)

group_resolved_by = Table(
    "group_resolved_by",
    metadata,
    Column("group_id", BigInteger, nullable=False),
    Column("release_id", BigInteger, nullable=False),
    Column("linked_type", SmallInteger, nullable=False),
    Column("linked_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("group_id", "release_id", "linked_type", "linked_id"),
    comment="what has resolved a group in a release: the same resolves once (SEMANTICS 5.4)",
)

group_history = Table(
    "group_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("group_id", ForeignKey("issue_group.id", ondelete="CASCADE"), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("version", String(200)),
    Column("actor_name", Text),
    Column("actor_email", Text),
    _time("date_added"),
    Index(None, "group_id"),
)

# --- What happened, and what is still to be said ---------------------------------------------------------------

activity = Table(
    "activity",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Uuid, nullable=False, comment="the id it is announced with"),
    Column("type", String(64), nullable=False),
    Column("organization_id", BigInteger, nullable=False),
    Column("release_id", BigInteger),
    Column("group_id", BigInteger),
    Column("key", Text, nullable=False, comment="record key on the activity topic"),
    Column("cloudevent", JSON, nullable=False, comment="the event as announced"),
    Column("offset_id", Integer, nullable=False, comment="the consumer_offset row of the event that caused it"),
    Column("offset", BigInteger, nullable=False, comment="of that event"),
    _time("date_added"),
    Index("activity_group_id_idx", "group_id", postgresql_where=text("group_id IS NOT NULL")),
    # Found by a replay; rows lie about in the order of their offsets, so that the smallest of indexes is enough.
    Index("activity_offset_idx", "offset", postgresql_using="brin", postgresql_with={"autosummarize": True}),
)

consumer_offset = Table(
    "consumer_offset",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("consumer_group", Text, nullable=False),
    Column("cluster_id", Text, nullable=False),
    Column("topic_id", Text, nullable=False, comment="Kafka's UUID: a topic created anew does not inherit offsets"),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("stream", Uuid, nullable=False, comment="names this row in the metadata of Kafka's committed offset"),
    Column("first_offset", BigInteger, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("frontier", BigInteger, nullable=False, comment="the highest next_offset so far: below it all is a replay"),
    Column("forced", Boolean, nullable=False, server_default=false(), comment="the replay applies what was applied"),
    Column("next_seq", BigInteger, nullable=False, server_default=text("1")),
    Column("epoch", BigInteger, nullable=False, server_default=text("1")),
    Column("owner", Text, nullable=False),
    Column("applied", BigInteger, nullable=False, server_default=text("0")),
    Column("duplicate", BigInteger, nullable=False, server_default=text("0")),
    Column("parked", BigInteger, nullable=False, server_default=text("0")),
    Column("dead", BigInteger, nullable=False, server_default=text("0")),
    Column("absent", BigInteger, nullable=False, server_default=text("0"), comment="offsets that hold no record"),
    Column("lost", BigInteger, nullable=False, server_default=text("0"), comment="offsets that Kafka no longer had"),
    Column("adopted", BigInteger, nullable=False, server_default=text("0"), comment="parked events of a former topic"),
    Column("pruned", BigInteger, nullable=False, server_default=text("0"), comment="dead letters past retention"),
    Column("heir_id", Integer, comment="nobody reads this partition: the row whose owner sees to what is left here"),
    _time("updated_at"),
    UniqueConstraint("consumer_group", "cluster_id", "topic_id", "partition"),
)

processed_event = Table(
    "processed_event",
    metadata,
    Column("digest", Uuid, primary_key=True, comment="of the CloudEvents source and id"),
    _time("processed_at"),
    Column("offset_id", Integer, nullable=False, comment="the consumer_offset row of the record it came by first"),
    Column("offset", BigInteger, nullable=False, comment="of that record: a duplicate is another one"),
    Column("fingerprint", Uuid, comment="of that record: what has the same is known without being decoded"),
    Index("processed_event_processed_at_idx", "processed_at", postgresql_using="brin"),
)

# Not in consumer_offset, whose rows the batches of events hold.
expired_event = Table(
    "expired_event",
    metadata,
    Column("offset_id", Integer, primary_key=True, autoincrement=False, comment="a consumer_offset row"),
    Column("events", BigInteger, nullable=False),
    comment="how many ids of events retention has removed: else nobody could tell whether one was lost",
)

outbox = Table(
    "outbox",
    metadata,
    Column("offset_id", Integer, nullable=False, comment="the consumer_offset row whose partition it belongs to"),
    Column("seq", BigInteger, nullable=False),
    Column("activity_id", BigInteger),
    Column("dead_letter_id", BigInteger),
    Column("replayed", Boolean, nullable=False, server_default=false(), comment="it was announced before"),
    PrimaryKeyConstraint("offset_id", "seq"),
)


def _record_columns() -> list[Column[object]]:
    """The Kafka record as it came in, so that nothing of it is lost."""
    return [
        Column("offset_id", ForeignKey("consumer_offset.id"), nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("record_key", LargeBinary),
        Column("headers", JSON, nullable=False, comment="list of [name, base64 of the value or null]"),
        Column("value", LargeBinary),
        _time("timestamp", nullable=True),
    ]


parked_event = Table(
    "parked_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    *_record_columns(),
    Column("event_key", Text, nullable=False, comment="events of one key wait in the order of arrival"),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("next_attempt_at"),
    _time("parked_at"),
    _time("arrived_at"),
    Column("replayed", Boolean, nullable=False, server_default=false(), comment="counted already, when it first came"),
    Column("dead_letter_id", ForeignKey("dead_letter.id"), comment="the dead letter that is tried again"),
    UniqueConstraint("offset_id", "offset"),
    Index(None, "event_key", "arrived_at", "id"),
    Index(None, "offset_id", "next_attempt_at"),
    Index("parked_event_dead_letter_idx", "dead_letter_id", postgresql_where=text("dead_letter_id IS NOT NULL")),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    *_record_columns(),
    Column("reason", Text, nullable=False),
    Column("errors", JSON, nullable=False, comment="list of {path, message}"),
    Column("event_type", Text),
    _time("dead_at"),
    _time("arrived_at"),
    Column("status", SmallInteger, nullable=False, server_default=text("0"), comment="see DeadLetterStatus"),
    _time("settled_at", nullable=True),
    UniqueConstraint("offset_id", "offset"),
    # A page of a listing is a range of one of these, whatever it is filtered by.
    Index("dead_letter_listing_idx", "status", "dead_at", "id"),
    Index("dead_letter_reason_idx", "reason", "status", "dead_at", "id"),
    Index("dead_letter_type_idx", "event_type", "status", "dead_at", "id"),
    Index("dead_letter_reason_type_idx", "reason", "event_type", "status", "dead_at", "id"),
)
