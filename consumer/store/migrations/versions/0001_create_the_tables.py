"""Create the tables and the sequences of ids.

Revision 0001, the first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  # a statement a table
    """Create everything."""
    for table in (
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
    ):
        op.execute(sa.schema.CreateSequence(sa.Sequence(f"{table}_id_seq", increment=1000)))
    op.execute(sa.schema.CreateSequence(sa.Sequence("snowflake_fallback_seq")))
    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False, comment="the id it is announced with"),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=True),
        sa.Column("group_id", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False, comment="record key on the activity topic"),
        sa.Column("cloudevent", sa.JSON(), nullable=False, comment="the event as announced"),
        sa.Column(
            "offset_id", sa.Integer(), nullable=False, comment="the consumer_offset row of the event that caused it"
        ),
        sa.Column("offset", sa.BigInteger(), nullable=False, comment="of that event"),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("activity_pkey")),
    )
    op.create_index(
        "activity_group_id_idx",
        "activity",
        ["group_id"],
        unique=False,
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.create_index(
        "activity_offset_idx",
        "activity",
        ["offset"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": True},
    )
    op.create_table(
        "commit",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("commit_pkey")),
        sa.UniqueConstraint("repository_id", "key", name=op.f("commit_repository_id_key_key")),
    )
    op.create_table(
        "commit_author",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("commit_author_pkey")),
        sa.UniqueConstraint("organization_id", "email", name=op.f("commit_author_organization_id_email_key")),
    )
    op.create_table(
        "commit_file_change",
        sa.Column("commit_id", sa.BigInteger(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=1), nullable=False),
        sa.PrimaryKeyConstraint("commit_id", "filename", name=op.f("commit_file_change_pkey")),
    )
    op.create_table(
        "consumer_offset",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.Column(
            "topic_id", sa.Text(), nullable=False, comment="Kafka's UUID: a topic created anew does not inherit offsets"
        ),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column(
            "stream", sa.Uuid(), nullable=False, comment="names this row in the metadata of Kafka's committed offset"
        ),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column(
            "frontier",
            sa.BigInteger(),
            nullable=False,
            comment="the highest next_offset so far: below it all is a replay",
        ),
        sa.Column(
            "forced",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="the replay applies what was applied",
        ),
        sa.Column("next_seq", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("applied", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("parked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dead", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "absent",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="offsets that hold no record",
        ),
        sa.Column(
            "lost",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="offsets that Kafka no longer had",
        ),
        sa.Column(
            "adopted",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="parked events of a former topic",
        ),
        sa.Column(
            "pruned",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="dead letters past retention",
        ),
        sa.Column(
            "heir_id",
            sa.Integer(),
            nullable=True,
            comment="nobody reads this partition: the row whose owner sees to what is left here",
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("consumer_offset_pkey")),
        sa.UniqueConstraint(
            "consumer_group",
            "cluster_id",
            "topic_id",
            "partition",
            name=op.f("consumer_offset_consumer_group_cluster_id_topic_id_partition_key"),
        ),
    )
    op.create_table(
        "deploy",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("environment_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("url", sa.String(length=200), nullable=True),
        sa.Column("date_started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("date_finished", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "project_ids", sa.ARRAY(sa.BigInteger()), nullable=False, comment="of the projects that it was told of"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("deploy_pkey")),
    )
    op.create_index(op.f("deploy_release_id_idx"), "deploy", ["release_id"], unique=False)
    op.create_table(
        "group_resolved_by",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("linked_type", sa.SmallInteger(), nullable=False),
        sa.Column("linked_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "group_id", "release_id", "linked_type", "linked_id", name=op.f("group_resolved_by_pkey")
        ),
        comment="what has resolved a group in a release: the same resolves once (SEMANTICS 5.4)",
    )
    op.create_table(
        "message_reference",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "short_id", sa.String(length=80), nullable=False, comment="upper case; the group may not be known yet"
        ),
        sa.Column("linked_type", sa.SmallInteger(), nullable=False),
        sa.Column("linked_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("linked_type", "linked_id", "short_id", name=op.f("message_reference_pkey")),
        comment="short ids that the message of a commit or pull request names",
    )
    op.create_index(
        op.f("message_reference_organization_id_short_id_idx"),
        "message_reference",
        ["organization_id", "short_id"],
        unique=False,
    )
    op.create_table(
        "organization",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=True),
        sa.Column("default_role", sa.String(length=32), server_default=sa.text("'member'"), nullable=False),
        sa.Column("flags", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "options",
            sa.JSON(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="what was ever set, by API field",
        ),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("organization_pkey")),
        sa.UniqueConstraint("slug", name=op.f("organization_slug_key")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "offset_id", sa.Integer(), nullable=False, comment="the consumer_offset row whose partition it belongs to"
        ),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=True),
        sa.Column("dead_letter_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "replayed", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="it was announced before"
        ),
        sa.PrimaryKeyConstraint("offset_id", "seq", name=op.f("outbox_pkey")),
    )
    op.create_table(
        "processed_event",
        sa.Column("digest", sa.Uuid(), nullable=False, comment="of the CloudEvents source and id"),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "offset_id",
            sa.Integer(),
            nullable=False,
            comment="the consumer_offset row of the record it came by first",
        ),
        sa.Column("offset", sa.BigInteger(), nullable=False, comment="of that record: a duplicate is another one"),
        sa.Column(
            "fingerprint",
            sa.Uuid(),
            nullable=True,
            comment="of that record: what has the same is known without being decoded",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("processed_event_pkey")),
    )
    op.create_index(
        "processed_event_processed_at_idx", "processed_event", ["processed_at"], unique=False, postgresql_using="brin"
    )
    op.create_table(
        "pull_request",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("author_id", sa.BigInteger(), nullable=True),
        sa.Column("merge_commit_sha", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pull_request_pkey")),
        sa.UniqueConstraint("repository_id", "key", name=op.f("pull_request_repository_id_key_key")),
    )
    op.create_index(
        op.f("pull_request_organization_id_merge_commit_sha_idx"),
        "pull_request",
        ["organization_id", "merge_commit_sha"],
        unique=False,
    )
    op.create_table(
        "release",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False),
        sa.Column("status", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ref", sa.String(length=200), nullable=True),
        sa.Column("url", sa.String(length=200), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.Column("date_started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("date_released", sa.DateTime(timezone=True), nullable=True),
        sa.Column("commit_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_commit_id", sa.BigInteger(), nullable=True),
        sa.Column("authors", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "log_digest",
            sa.LargeBinary(),
            nullable=True,
            comment="digest of the event that the log was last set by; NULL: compare in full",
        ),
        sa.Column("log_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total_deploys", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_deploy_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "package",
            sa.Text(),
            nullable=True,
            comment="this and the next seven: the version as parsed; NULL: it is no semantic version",
        ),
        sa.Column("major", sa.BigInteger(), nullable=True),
        sa.Column("minor", sa.BigInteger(), nullable=True),
        sa.Column("patch", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("prerelease", sa.Text(), nullable=True),
        sa.Column("build_code", sa.Text(), nullable=True),
        sa.Column("build_number", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("release_pkey")),
        sa.UniqueConstraint("organization_id", "version", name=op.f("release_organization_id_version_key")),
    )
    op.create_table(
        "release_commit",
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="0 = newest, without gaps"),
        sa.Column("commit_id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("release_id", "position", name=op.f("release_commit_pkey")),
        comment="the commit log; timestamp is the one the log was ordered by, NULL where the event gave none",
    )
    op.create_index(op.f("release_commit_commit_id_idx"), "release_commit", ["commit_id"], unique=False)
    op.create_table(
        "release_environment",
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("environment_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="of the release"),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded_version", sa.Text(collation="C"), nullable=False, comment="the version in no case"),
        sa.Column(
            "precedence",
            sa.Text(collation="C"),
            nullable=False,
            comment="of the semantic version; empty: it is none",
        ),
        sa.Column(
            "stem",
            sa.Text(collation="C"),
            sa.Computed(
                "CASE WHEN precedence = '' THEN folded_version"
                " WHEN folded_version ~ '@([0-9]+[.])*0[0-9]' THEN substring(folded_version FROM '^.*@') || '@'"
                " ELSE substring(folded_version FROM '^.*@') END",
                persisted=True,
            ),
            nullable=False,
            comment="the folded version up to its numbers, see consumer.store.listing_keys",
        ),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_deploy_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("release_id", "project_id", "environment_id", name=op.f("release_environment_pkey")),
        comment="environments that a release of a project was seen in",
    )
    op.create_table(
        "release_head_commit",
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("repository_id", sa.BigInteger(), nullable=False),
        sa.Column("commit_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("release_id", "repository_id", name=op.f("release_head_commit_pkey")),
    )
    op.create_table(
        "release_project",
        sa.Column("release_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False, comment="of the release"),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded_version", sa.Text(collation="C"), nullable=False, comment="the version in no case"),
        sa.Column(
            "precedence",
            sa.Text(collation="C"),
            nullable=False,
            comment="of the semantic version; empty: it is none",
        ),
        sa.Column(
            "stem",
            sa.Text(collation="C"),
            sa.Computed(
                "CASE WHEN precedence = '' THEN folded_version"
                " WHEN folded_version ~ '@([0-9]+[.])*0[0-9]' THEN substring(folded_version FROM '^.*@') || '@'"
                " ELSE substring(folded_version FROM '^.*@') END",
                persisted=True,
            ),
            nullable=False,
            comment="the folded version up to its numbers, see consumer.store.listing_keys",
        ),
        sa.PrimaryKeyConstraint("release_id", "project_id", name=op.f("release_project_pkey")),
    )
    for listing, listed in (
        ("release_environment", ["project_id", "environment_id", "status"]),
        ("release_project", ["project_id", "status"]),
    ):
        for name, columns in (
            ("date", ["listed_at", "release_id", "folded_version"]),
            ("precedence", ["precedence", "release_id", "folded_version"]),
            ("version", ["stem", "precedence", "release_id", "folded_version", "listed_at"]),
        ):
            op.create_index(f"{listing}_{name}_idx", listing, listed + columns)
    op.create_index(
        op.f("release_project_project_id_date_added_release_id_idx"),
        "release_project",
        ["project_id", "date_added", "release_id"],
        unique=False,
    )
    op.create_table(
        "repository",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("repository_pkey")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("repository_organization_id_name_key")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("offset_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False, comment="list of [name, base64 of the value or null]"),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False, comment="list of {path, message}"),
        sa.Column("event_type", sa.Text(), nullable=True),
        sa.Column("dead_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status", sa.SmallInteger(), server_default=sa.text("0"), nullable=False, comment="see DeadLetterStatus"
        ),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["offset_id"], ["consumer_offset.id"], name=op.f("dead_letter_offset_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("dead_letter_pkey")),
        sa.UniqueConstraint("offset_id", "offset", name=op.f("dead_letter_offset_id_offset_key")),
    )
    op.create_index("dead_letter_listing_idx", "dead_letter", ["status", "dead_at", "id"], unique=False)
    op.create_index("dead_letter_reason_idx", "dead_letter", ["reason", "status", "dead_at", "id"], unique=False)
    op.create_index("dead_letter_type_idx", "dead_letter", ["event_type", "status", "dead_at", "id"], unique=False)
    op.create_index(
        "dead_letter_reason_type_idx", "dead_letter", ["reason", "event_type", "status", "dead_at", "id"], unique=False
    )
    op.create_table(
        "environment",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("environment_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("environment_pkey")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("environment_organization_id_name_key")),
    )
    op.create_table(
        "expired_event",
        sa.Column("offset_id", sa.Integer(), autoincrement=False, nullable=False, comment="a consumer_offset row"),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("offset_id", name=op.f("expired_event_pkey")),
        comment="how many ids of events retention has removed: else nobody could tell whether one was lost",
    )
    op.create_table(
        "external_issue",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("external_issue_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("external_issue_pkey")),
        sa.UniqueConstraint(
            "organization_id", "provider", "key", name=op.f("external_issue_organization_id_provider_key_key")
        ),
    )
    op.create_table(
        "organization_avatar",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("ident", sa.String(length=32), nullable=False),
        sa.Column("color", sa.String(length=7), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="of the content"),
        sa.Column("content", sa.LargeBinary(), nullable=True, comment="the picture"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("organization_avatar_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("organization_avatar_pkey")),
        sa.UniqueConstraint("ident", name=op.f("organization_avatar_ident_key")),
    )
    op.create_table(
        "project",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("platform", sa.String(length=64), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("project_organization_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("project_pkey")),
        sa.UniqueConstraint("organization_id", "slug", name=op.f("project_organization_id_slug_key")),
    )
    op.create_table(
        "issue_group",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("short_id", sa.String(length=80), nullable=False, comment="upper case"),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "first_release", sa.String(length=200), nullable=True, comment="a version; the release may not be known yet"
        ),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("issue_group_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("issue_group_project_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("issue_group_pkey")),
        sa.UniqueConstraint("organization_id", "short_id", name=op.f("issue_group_organization_id_short_id_key")),
    )
    op.create_table(
        "parked_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("offset_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("record_key", sa.LargeBinary(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=False, comment="list of [name, base64 of the value or null]"),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_key", sa.Text(), nullable=False, comment="events of one key wait in the order of arrival"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "replayed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="counted already, when it first came",
        ),
        sa.Column("dead_letter_id", sa.BigInteger(), nullable=True, comment="the dead letter that is tried again"),
        sa.ForeignKeyConstraint(["dead_letter_id"], ["dead_letter.id"], name=op.f("parked_event_dead_letter_id_fkey")),
        sa.ForeignKeyConstraint(["offset_id"], ["consumer_offset.id"], name=op.f("parked_event_offset_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("parked_event_pkey")),
        sa.UniqueConstraint("offset_id", "offset", name=op.f("parked_event_offset_id_offset_key")),
    )
    op.create_index(
        op.f("parked_event_event_key_arrived_at_id_idx"),
        "parked_event",
        ["event_key", "arrived_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("parked_event_offset_id_next_attempt_at_idx"),
        "parked_event",
        ["offset_id", "next_attempt_at"],
        unique=False,
    )
    op.create_index(
        "parked_event_dead_letter_idx",
        "parked_event",
        ["dead_letter_id"],
        unique=False,
        postgresql_where=sa.text("dead_letter_id IS NOT NULL"),
    )
    op.create_table(
        "group_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("actor_email", sa.Text(), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["issue_group.id"], name=op.f("group_history_group_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("group_history_pkey")),
    )
    op.create_index(op.f("group_history_group_id_idx"), "group_history", ["group_id"], unique=False)
    op.create_table(
        "group_inbox",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.SmallInteger(), nullable=False),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["issue_group.id"], name=op.f("group_inbox_group_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("group_inbox_pkey")),
    )
    op.create_table(
        "group_link",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("linked_type", sa.SmallInteger(), nullable=False),
        sa.Column("linked_id", sa.BigInteger(), nullable=False),
        sa.Column("relationship", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["issue_group.id"], name=op.f("group_link_group_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("group_link_pkey")),
        sa.UniqueConstraint(
            "group_id", "linked_type", "linked_id", name=op.f("group_link_group_id_linked_type_linked_id_key")
        ),
    )
    op.create_index(
        op.f("group_link_linked_type_linked_id_idx"), "group_link", ["linked_type", "linked_id"], unique=False
    )
    op.create_table(
        "group_resolution",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=200), nullable=False, comment="the release; it may not be known yet"),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("actor_email", sa.Text(), nullable=True),
        sa.Column("date_added", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["issue_group.id"], name=op.f("group_resolution_group_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("group_resolution_pkey")),
    )
    op.create_index(
        "group_resolution_pending_idx",
        "group_resolution",
        ["group_id"],
        unique=False,
        postgresql_where=sa.text("status = 0"),
    )
